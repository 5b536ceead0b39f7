"""A dialer ends what dead ones have left: that may have rung, so it is unknown."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from ivr.ami.faults import Lost

EVERY_S: Final = 3.0
# A living one says so several times in between (ivr.dialer.heartbeat): a Redis that was away, or lost
# something, must not have us end what goes on.
SILENT_S: Final = 12.0
HUNG_UP_AT_ONCE: Final = 32
log = structlog.get_logger()


class Dialers(Protocol):
    """gateway.store.calls.slots."""

    async def silent(self, names: Sequence[str]) -> list[str]:
        """Those that have said nothing of late. Raises RedisError."""


class HangsUp(Protocol):
    """ivr.ami.manager."""

    @property
    def up(self) -> asyncio.Event:
        """Set while Asterisk can be asked."""

    async def hang_up(self, call_id: str) -> bool:
        """End a call. Raises Lost."""


class Recovery:
    """`name`: of this dialer. `begun`: dialers with calls that have no end; `recover`: ends those of one.

    Both ask SQL, in a thread of their own, and raise SQLAlchemyError. What rings still is hung up.
    """

    def __init__(
        self,
        name: str,
        dialers: Dialers,
        begun: Callable[[], list[str]],
        recover: Callable[[str], list[str]],
        phone: HangsUp,
    ) -> None:
        self._name = name
        self._dialers = dialers
        self._begun = begun
        self._recover = recover
        self._phone = phone
        self._silent_since: dict[str, float] = {}
        self._predecessor = ""

    def inherit(self, predecessor: str) -> None:
        """This one was in our place before, and is known to have ended: nobody need wait for its silence."""
        self._predecessor = predecessor

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(time.monotonic())
            except (RedisError, SQLAlchemyError, OSError, TimeoutError) as err:
                self._silent_since.clear()
                log.debug("dialers not looked at", reason=type(err).__name__)
            except Exception:  # what the dead have left must not ring on for one fault
                log.exception("dialers not looked at; it goes on")
            await self._rest()

    async def look(self, now: float) -> None:
        """Once; `now`: seconds of a monotonic clock. Raises RedisError, SQLAlchemyError."""
        others = [name for name in await asyncio.to_thread(self._begun) if name != self._name]
        if self._predecessor and self._phone.up.is_set():
            await self._end(self._predecessor)
            self._predecessor = ""
        silent = await self._dialers.silent(others)
        self._silent_since = {name: self._silent_since.get(name, now) for name in silent}
        for name, since in self._silent_since.items():
            if now - since >= SILENT_S:
                await self._end(name)

    async def _end(self, name: str) -> None:
        ended = await asyncio.to_thread(self._recover, name)
        if ended:
            log.warning("calls of a dialer that died are unknown", dialer=name, count=len(ended))
        for at in range(0, len(ended), HUNG_UP_AT_ONCE):
            with contextlib.suppress(Lost):  # each ends by the time that Asterisk was given
                some = ended[at : at + HUNG_UP_AT_ONCE]
                await asyncio.gather(*(self._phone.hang_up(call_id) for call_id in some))

    async def _rest(self) -> None:
        """Until the next look, which comes as soon as Asterisk is there for what was inherited."""
        if not self._predecessor or self._phone.up.is_set():
            await asyncio.sleep(EVERY_S)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await self._phone.up.wait()
