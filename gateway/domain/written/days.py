"""Days and times in a spreadsheet's cells: ISO 8601, or day first with dots. Pure; nothing is guessed."""

from __future__ import annotations

import re
from datetime import tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.domain.codes.alphabet import clean
from gateway.domain.written import moments


class DayFault(StrEnum):
    """What is wrong with a date; the words complete "said_at: …"."""

    EMPTY = "is missing"
    SLASHES = "which is the day and which the month? Write 02.04.2025 or 2025-04-02"
    SHORT_YEAR = "the year has four digits, as in 02.04.2025"
    SERIAL = "is a spreadsheet's own number of a day: format its column as a date"
    OTHER = "is no date such as 2025-03-01 or 01.03.2025, nor a time such as 2025-03-01T10:00+02:00"


class Days(NamedTuple):
    """From a beginning to an end, itself not included, ms since 1970; of a time they are the same."""

    begins: int
    ends: int


_TIME: Final = r"(?:,?[ T]\s*([0-9]{1,2}):([0-9]{2})(:[0-9]{2}(?:\.0+)?)?)?"
_DAY_FIRST: Final = re.compile(rf"([0-9]{{1,2}})\.([0-9]{{1,2}})\.([0-9]{{4}}){_TIME}", re.ASCII)
_FAULTS: Final = (
    (re.compile(r""), DayFault.EMPTY),
    (re.compile(r"[0-9]{1,4}/[0-9]{1,2}/[0-9]{1,4}\b.*"), DayFault.SLASHES),
    (re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}(?![0-9]).*"), DayFault.SHORT_YEAR),
    (re.compile(r"[0-9]{5}(?:[.,][0-9]+)?"), DayFault.SERIAL),
)


def read_days(typed: str, zone: tzinfo) -> Days | DayFault:
    """What a cell says. `zone`: of days, and of times that name none."""
    text = clean(typed).strip()
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year, hour, minute, second = found.groups()
        time = f"T{int(hour):02}:{minute}{(second or '')[:3]}" if hour else ""
        text = f"{year}-{int(month):02}-{int(day):02}{time}"
    try:
        return Days(moments.beginning(text, zone), moments.end(text, zone))
    except moments.NoMoment:
        return next((fault for form, fault in _FAULTS if form.fullmatch(text)), DayFault.OTHER)
