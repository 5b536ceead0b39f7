"""Moments as people write them: with a zone, without one, or as a whole day. Pure."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
_DAY: Final = timedelta(days=1)


class NoMoment(ValueError):
    """What was written is no moment between 2000 and 2099; the message says how one is written."""


def beginning(text: str, zone: tzinfo) -> int:
    """When something begins, ms since 1970 UTC; a day without a time begins at its first moment in `zone`.

    `text`: ISO 8601, as `2026-05-01`, `2026-05-01T09:00` (in `zone`) or `2026-05-01T09:00+03:00`.
    Raises NoMoment.

    >>> from zoneinfo import ZoneInfo
    >>> beginning("2026-05-01", ZoneInfo("Europe/Kyiv")) == beginning("2026-04-30T21:00Z", UTC)
    True
    """
    day, moment = _read(text)
    return _ms(_midnight(day, zone) if day is not None else moment, zone)


def end(text: str, zone: tzinfo) -> int:
    """When something is over, ms since 1970 UTC, itself not included; a day without a time is in it whole.

    `text`: as of `beginning`. Raises NoMoment.

    >>> end("2026-11-30", UTC) == beginning("2026-12-01", UTC)
    True
    """
    day, moment = _read(text)
    return _ms(_midnight(day + _DAY, zone) if day is not None else moment, zone)


def first_told(ms: int, zone: tzinfo) -> str:
    """A beginning for a table: the day alone where it begins with that."""
    at = datetime.fromtimestamp(ms / 1000, zone)
    return f"{at:%Y-%m-%d}" if _begins_a_day(at, zone) else f"{at:%Y-%m-%d %H:%M}"


def last_told(ms: int, zone: tzinfo) -> str:
    """An end for a table: the last day alone where that is in it whole."""
    at = datetime.fromtimestamp(ms / 1000, zone)
    return f"{at.date() - _DAY:%Y-%m-%d}" if _begins_a_day(at, zone) else f"{at:%Y-%m-%d %H:%M}"


def _begins_a_day(at: datetime, zone: tzinfo) -> bool:
    return at.timestamp() == _midnight(at.date(), zone).timestamp()


def _read(text: str) -> tuple[date | None, datetime]:
    """The day alone where there is no time, and the moment. Raises NoMoment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise NoMoment(
            f"{text!r} is not a date such as 2026-05-01 or 2026-05-01T09:00+03:00, "
            f"from {FIRST_YEAR} to {LAST_YEAR}"
        )
    with suppress(ValueError):
        return date.fromisoformat(text), moment
    return None, moment


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The day's first moment; where the clock is put forward at midnight, that of the change (PEP 495)."""
    return datetime.combine(day, time(), zone)


def _ms(moment: datetime, zone: tzinfo) -> int:
    known = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(known.astimezone(UTC).timestamp() * 1000)
