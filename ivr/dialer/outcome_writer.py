"""Brings to SQL what came of calls, many in a transaction; while SQL is away it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from config.outage import Outage
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.sql.faults import LedgerAway
from gateway.store.sql.piecemeal import piecemeal

RETRY_S: Final = 0.5
AT_ONCE: Final = 100
GATHER_S: Final = 0.05
log = structlog.get_logger()


class Filing:
    """`end`: writes to SQL, in a thread of its own; raises SQLAlchemyError."""

    def __init__(self, end: Callable[[Sequence[Ended]], int]) -> None:
        self._end = end
        self._ended: list[Ended] = []
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._away = Outage("ends of offer calls wait for the database")
        self._refused = Outage("an end of an offer call cannot be filed; it is tried again")

    def __len__(self) -> int:
        """How many wait."""
        return len(self._ended)

    def add(self, ended: Ended) -> None:
        """A call that is over."""
        self._ended.append(ended)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            while self._ended:
                if not await self.write():
                    await asyncio.sleep(RETRY_S)

    async def write(self) -> bool:
        """Write what waits; False where the database does not take it. Written twice it changes nothing."""
        async with self._writing:
            batch = self._ended[:AT_ONCE]
            try:
                _, failed = await asyncio.to_thread(piecemeal, batch, self._filed)
            except LedgerAway as err:
                self._away.on(str(err), len(batch))
                return False
            # What came of other calls must not be lost with one, and that one is tried again behind them.
            self._ended = [*self._ended[len(batch) :], *(ended for ended, _ in failed)]
            for ended, reason in failed:
                self._refused.on(reason)
                log.debug("an end of an offer call is not filed", id=ended.id, reason=reason)
            self._away.over()
            return not failed

    def _filed(self, batch: Sequence[Ended]) -> Sequence[None]:
        self._end(batch)
        return [None] * len(batch)
