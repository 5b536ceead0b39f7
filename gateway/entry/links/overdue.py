"""Hands on what is left of long texts of which a part never came."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from redis.exceptions import RedisError

from config.outage import Outage
from smpp.intake.intake import Intake
from smpp.intake.reassembly import Reassembly
from smpp.link.link import Link
from smpp.protocol import statuses

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


class Held(Protocol):
    """The links of this process."""

    @property
    def links(self) -> Sequence[Link]:
        """Those that it holds now."""

    @property
    def names(self) -> Collection[str]:
        """All of the settings."""


async def hand_on_overdue(reassembly: Reassembly, intake: Intake, held: Held) -> None:
    """Texts of which a part never came are read as far as they came; those without effect are tried again.

    Each is for the holder of the link that it came by; what came by a link that is no more, for any.
    """
    away = Outage("overdue parts wait for redis")
    while True:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            for overdue, message in await reassembly.overdue() if held.links else ():
                name = overdue.origin.link
                by_name = {link.name: link for link in held.links}
                if not by_name or (name not in by_name and name in held.names):
                    continue
                handed = _Handed()
                origin = by_name.get(name) or held.links[0]
                intake.take(origin, handed, [message])
                # A temporary status leaves it where it is: it is due again.
                if await handed.status in {statuses.ROK, statuses.RINVDSTADR}:
                    await reassembly.drop(overdue)
        except (RedisError, OSError) as err:
            away.on(type(err).__name__)
        else:
            away.over()
