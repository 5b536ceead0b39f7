"""Hands on what is left of long texts of which a part never came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from redis.exceptions import RedisError

from config.outage import Outage
from smpp import statuses
from smpp.intake import Intake
from smpp.link import Link
from smpp.reassembly import Reassembly

OVERDUE_EVERY_S = 5.0


class _Handed:
    """Hands on what is left of a long text, and waits for the word that it was stored."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def answer(self, sequence: int, status: int) -> bool:
        """From the intake."""
        del sequence
        if self.status.done():
            return False
        self.status.set_result(status)
        return True


async def hand_on_overdue(reassembly: Reassembly, intake: Intake, links: Sequence[Link]) -> None:
    """Texts of which a part never came are read as far as they came; those without effect are tried again.

    `links`: those that run now; looked at anew each time.
    """
    away = Outage("overdue parts wait for redis")
    while True:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            for overdue, message in await reassembly.overdue() if links else ():
                if not links:  # the last one was taken away meanwhile
                    break
                handed = _Handed()
                origin = next((link for link in links if link.name == overdue.origin.link), links[0])
                intake.take(origin, handed, [message])
                # A temporary status leaves it where it is: it is due again.
                if await handed.status in {statuses.ROK, statuses.RINVDSTADR}:
                    await reassembly.drop(overdue)
        except (RedisError, OSError) as err:
            away.on(type(err).__name__)
        else:
            away.over()
