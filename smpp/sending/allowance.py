"""How many segments may leave a link now: room in its windows, the account's pace, and the pace that was
learned.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from smpp.link.link import Link
from smpp.sending.learned_pace import LearnedPace

CREDIT_S = 1.0  # segments that were granted and not submitted by then go back to nobody
THROTTLED_S = 10.0  # so long after a refusal a link counts as one that takes less than it could


class Pace(Protocol):
    """Segments a second of the whole account, over all processes that share it."""

    async def grant(self, wanted: int) -> tuple[int, float]:
        """So many may be submitted now, and if none, the seconds until one may. Raises RedisError."""


class Allowance:
    """Of one link. `pace`: None where there is no limit of segments a second. `holds`: nobody else submits
    now.
    """

    def __init__(self, link: Link, pace: Pace | None, holds: Callable[[], bool]) -> None:
        self._link = link
        self._pace = pace
        self._holds = holds
        self._credit: float = 0 if pace else float("inf")  # segments that the account's pace lets through
        self._credit_until = 0.0
        self._learned = LearnedPace()
        self._refused_at = -float("inf")
        self.flying = 0  # segments without their response
        self.over = False  # the texts may be another's by now

    @property
    def free(self) -> int:
        """Segments that may be submitted now."""
        if self.over or not self._holds():
            return 0
        free = int(min(self._link.free, self._credit))
        if free > 0 and self._learned.known:
            return min(free, self._learned.free(time.monotonic()))
        return free

    @property
    def wait_s(self) -> float:
        """Until the learned pace lets one through, if nothing else holds it."""
        return self._learned.wait_s(time.monotonic())

    @property
    def pace(self) -> float:
        """Segments a second at most, by what the SMSC has refused of late; 0: it has refused nothing."""
        if time.monotonic() - self._refused_at > THROTTLED_S:
            return 0.0
        return round(self._learned.rate, 1)

    @property
    def wants_credit(self) -> bool:
        """Whether the account's pace must be asked before anything can leave."""
        if self._pace is None:
            return False
        if time.monotonic() > self._credit_until:
            self._credit = 0
        return self._credit < 1 and self._link.free > 0 and not self.over and self._holds()

    async def draw(self) -> float:
        """Ask the account's pace; the seconds until it is worth another try, 0 where some was granted."""
        if self._pace is None:
            return 0.0
        granted, wait_s = await self._pace.grant(self._link.free)
        self._credit += granted
        self._credit_until = time.monotonic() + CREDIT_S
        return 0.0 if granted else wait_s

    def sent(self, now: float) -> None:
        """A segment has left."""
        self.flying += 1
        self._credit -= 1
        self._learned.sent(now)

    def accepted(self, now: float) -> None:
        """The SMSC has taken one."""
        self._learned.on_accepted(now)

    def refused(self, sent_at: float, now: float) -> None:
        """The SMSC has refused, as too fast, one that left at `sent_at`."""
        self._refused_at = now
        self._learned.on_refused(sent_at, now)
