"""Pauses blasts whose calls the trunk does not carry; while the stores are away that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from ivr.dialer.trunk import TrunkFault

RETRY_S: Final = 0.5
log = structlog.get_logger()


class Pausing:
    """`pause`: a blast, with the word that says why; False where it does not run. Blocks.

    Raises RedisError, SQLAlchemyError.
    """

    def __init__(self, pause: Callable[[int, str], bool]) -> None:
        self._pause = pause
        self._wanted: dict[int, TrunkFault] = {}
        self._wake = asyncio.Event()
        self._away = Outage("blasts that the trunk does not carry cannot be paused")

    def add(self, blast_id: int, fault: TrunkFault) -> None:
        """This one is to be paused; asked again meanwhile it is so once."""
        self._wanted[blast_id] = fault
        self._wake.set()

    def waits(self, blast_id: int) -> bool:
        """Whether it is to be paused, and is not yet: nobody of it is called meanwhile."""
        return blast_id in self._wanted

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for blast_id, fault in list(self._wanted.items()):
                if await self._done(blast_id, fault):
                    self._wanted.pop(blast_id, None)
            if self._wanted:
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _done(self, blast_id: int, fault: TrunkFault) -> bool:
        try:
            paused = await asyncio.to_thread(self._pause, blast_id, fault.word)
        except (SQLAlchemyError, RedisError, OSError, TimeoutError) as err:
            self._away.on(type(err).__name__)
            return False
        except Exception:  # the others must be paused, too; its next refused call asks again
            log.exception("a blast that the trunk does not carry is not paused")
            return True
        self._away.over()
        if paused:
            mend = "mend the trunk, then `undercap blast resume`"
            log.error("the trunk carries no calls: blast paused", blast=blast_id, trunk=fault.told, mend=mend)
        return True
