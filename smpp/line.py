"""One bind of a link, kept up: connect, bind, and after each loss try again, ever less eagerly."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

from config.settings import LinkSettings
from smpp.backoff import Backoff
from smpp.codec import BindKind
from smpp.session import Session

STABLE_S: Final = 60.0  # a bind that stood for so long makes the next attempt eager again


class Line:
    """Keeps a session of one kind to one SMSC."""

    def __init__(
        self,
        settings: LinkSettings,
        kind: BindKind,
        make_session: Callable[[BindKind], Session],
        on_change: Callable[[], None],
    ) -> None:
        """`make_session`: a new session that is not yet connected. `on_change`: look at this line anew."""
        self.kind = kind
        self.session: Session | None = None
        self.fault = ""  # why there was no bind, last
        self.trying = False  # connecting or binding now, not waiting for the next attempt
        self._settings = settings
        self._make_session = make_session
        self._on_change = on_change
        self._backoff = Backoff(settings.reconnect_max_s)
        self._stopping = asyncio.Event()
        self._closed = asyncio.Event()
        self._patience: asyncio.Timeout | None = None  # while connecting

    @property
    def bound(self) -> bool:
        """The SMSC has accepted the bind, and it stands."""
        return self.session is not None and self.session.bound

    async def run(self) -> None:
        """Keep the bind up until `stop`."""
        try:
            while not self._stopping.is_set():
                await self._one_session()
                await self._rest()
        finally:
            if self.session is not None:
                self.session.abort("the process ends")

    def stop(self, deadline_s: float) -> None:
        """Ask for the end: in flight work first, for at most `deadline_s`."""
        self._stopping.set()
        if self._patience is not None:
            self._patience.reschedule(0.0)
        elif self.session is not None:
            self.session.stop(deadline_s)

    def on_closed(self, session: Session) -> None:
        """The owner's word that the session is over."""
        if session is self.session:
            self._closed.set()

    async def _one_session(self) -> None:
        loop = asyncio.get_running_loop()
        self._closed.clear()
        self._set_trying(True)
        session = self.session = self._make_session(self.kind)
        try:
            async with asyncio.timeout(self._settings.bind_timeout_s) as self._patience:
                await loop.create_connection(lambda: session, self._settings.host, self._settings.port)
            self._patience = None
            await self._closed.wait()
            self.fault = session.fault
            if session.bound_at and loop.time() - session.bound_at >= STABLE_S:
                self._backoff.reset()
        except (OSError, TimeoutError, UnicodeError) as err:  # the last for a host that is no name
            self.fault = f"cannot connect: {str(err) or 'no answer'}"
        self._patience = self.session = None
        self._set_trying(False)

    async def _rest(self) -> None:
        # A random number for spreading load, not for secrets.
        delay = self._backoff.next_s(random.random())  # noqa: S311
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()

    def _set_trying(self, trying: bool) -> None:
        self.trying = trying
        self._on_change()
