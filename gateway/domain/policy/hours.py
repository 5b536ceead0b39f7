"""When a channel may be used: hours of local days, in every zone where the person may be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from config.policies import ChannelRules, Pack

MINUTE_MS: Final = 60_000
LOOK_AHEAD_DAYS: Final = 62  # longer than any row of closed days; a pack that opens never is denied
_MOST_STEPS: Final = 500
_DAY: Final = timedelta(days=1)


def first_allowed(pack: Pack, rules: ChannelRules, zones: tuple[str, ...], at: int) -> int | None:
    """The first moment from `at` on (ms since 1970) that is allowed in all `zones`; None where there is none.

    Zones differ by whole minutes and hours are told in minutes, so one answer holds for a minute.
    """
    minute = _first_minute(pack, rules, zones, at // MINUTE_MS)
    return None if minute is None else max(at, minute * MINUTE_MS)


def closed_day(pack: Pack, rules: ChannelRules, zones: tuple[str, ...], at: int) -> bool:
    """Whether the day is one of rest in any of the zones at this moment."""
    days = (datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date() for zone in zones)
    return any(_open_on(pack, rules, day) is None for day in days)


@lru_cache(maxsize=8192)
def _first_minute(pack: Pack, rules: ChannelRules, zones: tuple[str, ...], minute: int) -> int | None:
    latest = minute + LOOK_AHEAD_DAYS * 24 * 60
    for _ in range(_MOST_STEPS):
        found = minute
        for zone in zones:
            opening = _opening(pack, rules, zone, found)
            if opening is None or opening > latest:
                return None
            found = opening
        if found == minute:
            return minute
        minute = found
    return None


def _opening(pack: Pack, rules: ChannelRules, zone: str, minute: int) -> int | None:
    """The first minute from this one on that is allowed in one zone."""
    day = datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).date()
    for _ in range(LOOK_AHEAD_DAYS):
        window = _window(pack, rules, zone, day)
        if window is not None and minute < window[1]:
            return max(minute, window[0])
        day += _DAY
    return None


@lru_cache(maxsize=8192)
def _window(pack: Pack, rules: ChannelRules, zone: str, day: date) -> tuple[int, int] | None:
    """From and to (exclusive) of a local day, minutes since 1970 UTC.

    Where the clock is changed in between, an hour that comes twice opens at its second time and closes at its
    first; one that does not come opens after the gap and closes before it.
    """
    hours = _open_on(pack, rules, day)
    if hours is None:
        return None
    opens = max(_utc_minutes(day, hours[0], zone))
    closes = min(_utc_minutes(day, hours[1], zone))
    return (opens, closes) if opens < closes else None


def _open_on(pack: Pack, rules: ChannelRules, day: date) -> tuple[int, int] | None:
    holiday = (day.month, day.day) in pack.holidays or (day.year, day.month, day.day) in pack.holidays
    return None if holiday else rules.hours[day.weekday()]


def _utc_minutes(day: date, local_minutes: int, zone: str) -> tuple[int, int]:
    """A wall clock time in both readings that it may have (PEP 495)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    wall = (midnight + timedelta(minutes=local_minutes)).replace(tzinfo=ZoneInfo(zone))
    first, second = (int(wall.replace(fold=fold).timestamp()) // 60 for fold in (0, 1))
    return first, second
