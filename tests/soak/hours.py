"""The hours of the soak of a blast: one moment at which three countries close and another one opens.

Written down here, not read from the policy packs, so that a pack or a zone that is wrong is noticed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

SATURDAY: Final = 5
MOMENT_UTC: Final = 18  # o'clock, in winter
_DAYS_AHEAD: Final = 366


class Region(NamedTuple):
    """Numbers that begin with `prefix`, and the local hours of their Saturday."""

    prefix: str
    zone: str
    opens: int
    closes: int

    def numbers(self, count: int) -> list[str]:
        """So many of them."""
        return [f"{self.prefix}{i:07}" for i in range(count)]

    def open_at(self, at: datetime) -> bool:
        """Whether people may be written to at that moment, a Saturday everywhere."""
        local = at.astimezone(ZoneInfo(self.zone))
        return local.weekday() == SATURDAY and self.opens <= local.hour < self.closes


CLOSING: Final = (
    Region("38067", "Europe/Kyiv", 10, 20),
    Region("35387", "Europe/Dublin", 10, 18),
    Region("7495", "Europe/Moscow", 10, 21),
)
OPENING: Final = Region("1808", "Pacific/Honolulu", 8, 21)
OPEN: Final = Region("1212", "America/New_York", 8, 21)  # before and after
REGIONS: Final = (*CLOSING, OPENING, OPEN)


def region_of(number: str) -> Region:
    """Where a number of the soak is at home."""
    return next(region for region in REGIONS if number.startswith(region.prefix))


def next_crossing(now: datetime) -> datetime:
    """The next moment after `now` at which the three close and the other one opens."""
    first = now.astimezone(UTC).replace(hour=MOMENT_UTC, minute=0, second=0, microsecond=0)
    for days in range(_DAYS_AHEAD):
        moment = first + timedelta(days=days)
        if moment > now and _in_season(moment) and _crosses(moment):
            return moment
    raise ValueError("a year without such a Saturday")


def _crosses(moment: datetime) -> bool:
    before = moment - timedelta(seconds=1)
    closing = all(region.open_at(before) and not region.open_at(moment) for region in CLOSING)
    return closing and OPENING.open_at(moment) and not OPENING.open_at(before) and OPEN.open_at(before)


def _in_season(moment: datetime) -> bool:
    """Winter, without the days on which anybody rests."""
    day = (moment.month, moment.day)
    return (1, 9) <= day <= (2, 22) or (11, 7) <= day <= (12, 24)
