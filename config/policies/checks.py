"""What must be true of a policy pack; every fault is named, none is corrected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CHANNELS: Final = ("sms", "call")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LANGUAGES: Final = ("uk", "ru", "kk", "en")
_TOP: Final[Mapping[str, type]] = {
    "title": str,
    "sources": list,
    "prefixes": str,
    "everywhere": list,
    "holidays": list,
    "sms": dict,
    "call": dict,
    "identification": dict,
}
_RULES: Final[Mapping[str, type]] = {
    "allowed": bool,
    "consent": bool,
    "hours": dict,
    "per_day": int,
    "per_week": int,
    "max_attempts": int,
    "min_ring_s": int,
    "identify": bool,
}
_MOST: Final[Mapping[str, int]] = {"per_day": 50, "per_week": 100, "max_attempts": 20, "min_ring_s": 120}
_PREFIX = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)
_CLOSED: Final = "closed"
_DAY_MINUTES: Final = 24 * 60


class PolicyError(ValueError):
    """A policy pack cannot be used; the message names the pack and each fault, one a line."""


def refuse(found: Sequence[str]) -> None:
    """Raise PolicyError if there is a fault."""
    if found:
        raise PolicyError("\n".join(found))


def faults(table: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a pack as it was read."""
    found = list(_shape(table, _TOP, optional=("zones",)))
    if found:
        return found
    found += [] if table["sources"] and all(table["sources"]) else ["sources: at least one must be named"]
    found += _zone_faults(table)
    for day in table["holidays"]:
        found += [] if _is_day(day) else [f"holidays: {day!r} is no day such as 12-25 or 2026-11-26"]
    for channel in CHANNELS:
        found += (f"{channel}.{fault}" for fault in _rule_faults(table[channel]))
    for language, words in table["identification"].items():
        if language not in LANGUAGES or "{firm}" not in str(words):
            found.append(f"identification.{language}: words with {{firm}}, in {', '.join(LANGUAGES)}")
    return found


def day_of(text: str) -> tuple[int, ...]:
    """A day of every year as (month, day), one of a single year as (year, month, day)."""
    return tuple(int(part) for part in text.split("-"))


def hours_of(text: str) -> tuple[int, int] | None:
    """Minutes of the local day: from, and to (exclusive). None: closed.

    >>> hours_of("09:00-21:00")
    (540, 1260)
    """
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    from_h, from_m, to_h, to_m = map(int, match.groups())
    return from_h * 60 + from_m, to_h * 60 + to_m


def _shape(
    table: Mapping[str, Any], wanted: Mapping[str, type], *, optional: Sequence[str] = ()
) -> Iterator[str]:
    for key, kind in wanted.items():
        if key not in table:
            yield f"{key}: is missing"
        elif type(table[key]) is not kind:  # a boolean is an integer to isinstance
            yield f"{key}: is no {kind.__name__}"
    yield from (f"{key}: no such setting" for key in table if key not in wanted and key not in optional)


def _zone_faults(table: Mapping[str, Any]) -> Iterator[str]:
    prefixes: list[str] = table["prefixes"].split()
    zones: list[str] = list(table["everywhere"])
    for names, listed in table.get("zones", {}).items():
        prefixes += listed.split()
        zones += names.split("+")
    yield from (f"zones: {zone!r} is no IANA zone" for zone in zones if not _is_zone(zone))
    for prefix in prefixes:
        if not _PREFIX.fullmatch(prefix):
            yield f"prefix {prefix!r}: 1 to 7 digits of E.164"
        if prefixes.count(prefix) > 1:
            yield f"prefix {prefix}: is listed twice"
    if not prefixes:
        yield "prefixes: no number is covered"


def _rule_faults(rules: Mapping[str, Any]) -> Iterator[str]:
    found = list(_shape(rules, _RULES))
    yield from found
    if found:
        return
    for key, most in _MOST.items():
        if not (0 if key == "min_ring_s" else 1) <= rules[key] <= most:
            yield f"{key}: at most {most}"
    if rules["per_week"] < rules["per_day"]:
        yield "per_week: is less than per_day"
    yield from (f"hours.{fault}" for fault in _shape(rules["hours"], dict.fromkeys(WEEKDAYS, str)))
    for day, text in rules["hours"].items():
        hours = hours_of(str(text))
        if text != _CLOSED and (hours is None or not hours[0] < hours[1] <= _DAY_MINUTES):
            yield f"hours.{day}: {text!r} is not such as 09:00-21:00, nor {_CLOSED}"
    if rules["allowed"] and all(hours_of(str(text)) is None for text in rules["hours"].values()):
        yield "hours: allowed, and closed all week"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_day(text: object) -> bool:
    try:
        parts = day_of(str(text))
        date(*(parts if len(parts) == 3 else (2028, *parts)))  # a leap year: 02-29 is a day
    except (ValueError, TypeError):
        return False
    return len(parts) in (2, 3)
