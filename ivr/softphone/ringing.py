"""A call that comes to a handset: all open pages ring, and one of them takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ivr.softphone.call import Call, Ear
from ivr.softphone.exchange import Take
from ivr.softphone.leg import Stage


class Page(Protocol):
    """One open page of the virtual phones."""

    def tell(self, message: dict[str, Any]) -> None:
        """A message to it."""

    def on_stage(self, stage: Stage, why: str) -> None:
        """Of its call."""

    def put(self, message: bytes) -> None:
        """Sound to it."""


class Ringing:
    """`pages`: those that are open. Nothing runs before `begin`."""

    def __init__(self, handset: str, take: Take, pages: Callable[[], Iterable[Page]]) -> None:
        """Raises OSError."""
        self.handset = handset
        self._pages = pages
        self._page: Page | None = None  # that has taken it
        self._call, self._leg = take(Ear(stage=self._on_stage, sound=self._on_sound))

    @property
    def taken(self) -> bool:
        """Whether a page has."""
        return self._page is not None

    async def run(self) -> None:
        """Until it is over."""
        for page in self._pages():
            page.tell(self.told())
        await self._call.run()

    def told(self) -> dict[str, Any]:
        """What a page is told while it rings."""
        return {"type": "ring", "handset": self.handset}

    def answer(self, page: Page) -> Call:
        """This page takes it."""
        self._page = page
        self._tell_over()
        self._call.do(self._leg.answer)
        return self._call

    def decline(self) -> None:
        """Nobody does."""
        self._call.hang_up()

    def _on_stage(self, stage: Stage, why: str) -> None:
        if self._page is not None:
            self._page.on_stage(stage, why)
        elif stage in (Stage.LEAVING, Stage.OVER):
            self._tell_over()

    def _on_sound(self, sound: bytes) -> None:
        if self._page is not None:
            self._page.put(sound)

    def _tell_over(self) -> None:
        """It rings no more."""
        for page in self._pages():
            page.tell({"type": "ring_over", "handset": self.handset})
