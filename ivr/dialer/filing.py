"""Brings to SQL what came of calls, many in a transaction; while SQL is away it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from gateway.store.offer_call_ends import Ended

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
                await asyncio.to_thread(self._end, batch)
            except SQLAlchemyError as err:
                self._away.on(type(err).__name__, len(batch))
                return False
            except Exception:  # what came of other calls must not be lost with one
                log.exception("ends of offer calls are not filed; it is tried again")
                return False
            del self._ended[: len(batch)]
            self._away.over()
            return True
