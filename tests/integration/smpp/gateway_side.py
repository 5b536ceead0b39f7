"""The gateway's side of a link in these tests: records what it is told, answers when it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from config.link_settings import LinkSettings
from smpp.link.link import Link, LinkState
from smpp.protocol.pdus import DeliverSm, Outcome, SubmitSm
from smpp.session.session import Session

PATIENCE_S = 10.0
ANSWER = SubmitSm("4040", 3, 0, "380671234567", 1, 1, 0, 0, b"thank you", 1)


class Recorder:
    """A LinkHandler. `answers`: give each message ROK at once; else the test answers."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.messages: list[tuple[Session, DeliverSm]] = []
        self.results: list[Outcome] = []
        self.states: list[LinkState] = []
        self.ready = 0
        self._changed = asyncio.Event()

    @property
    def bodies(self) -> list[bytes]:
        """The texts that came."""
        return [message.body for _, message in self.messages]

    def more_than(self, count: int) -> bool:
        """Whether more than so many messages came."""
        return len(self.messages) > count

    def on_messages(self, link: Link, session: Session, messages: list[DeliverSm]) -> None:
        """From the link."""
        del link
        for message in messages:
            self.messages.append((session, message))
            if self.answers:
                session.answer(message.sequence, 0)
        self._changed.set()

    def on_results(self, link: Link, results: list[Outcome]) -> None:
        """From the link."""
        del link
        self.results += results
        self._changed.set()

    def on_ready(self, link: Link) -> None:
        """From the link."""
        del link
        self.ready += 1
        self._changed.set()

    def on_state(self, link: Link, state: LinkState) -> None:
        """From the link."""
        del link
        self.states.append(state)
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for a condition; it is looked at after each word from the link."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()


def settings(port: int, **changes: Any) -> LinkSettings:
    """A link to this machine that tries again soon."""
    given: dict[str, Any] = {
        "name": "peer",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "undercap",
        "password": "secret",
        "reconnect_max_s": 0.1,
    }
    return LinkSettings(**(given | changes))


@asynccontextmanager
async def linked(
    port: int, recorder: Recorder, *, max_unanswered: int = 2000, **changes: Any
) -> AsyncIterator[Link]:
    """A link that runs for the time of a test."""
    link = Link(settings(port, **changes), recorder, max_unanswered=max_unanswered)
    running = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.stop(0.2)
        await running


def befell(link: Link) -> str:
    """Why its binds were last lost, though they may stand again by now."""
    return "; ".join(f"{line.kind}: {line.fault}" for line in link._lines if line.fault)
