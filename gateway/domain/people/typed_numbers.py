"""Phone numbers as people, forms and spreadsheets write them: the number, or what is wrong with it. Pure.

A wrong number is a stranger's, so nothing is guessed: what a spreadsheet has cut, or a plan does not have,
is a fault that says so. No fault repeats what was written.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from gateway.domain.codes.alphabet import clean
from gateway.domain.people.numbers import by_plan

MOST_TYPED: Final = 64  # characters


class NumberFault(StrEnum):
    """What is wrong with a number; the words complete "number: …"."""

    EMPTY = "is missing"
    SIGNS = "has other signs than digits, a plus before them and separators"
    CUT = "was cut by a spreadsheet (…E+11): format its column as text and write all digits"
    FRACTION = "has a fraction"
    SHORT = "has too few digits"
    LONG = "has too many digits"
    SEVERAL = "is one number in one country and another one in another: write it with its country code"
    COUNTRY = "is no phone number with its country code, such as +380…"
    PLAN = "is not in its country's numbering plan: a digit is missing, wrong or too many"


# What a spreadsheet makes of a cell of digits, and what wraps a number that was kept as text.
_WRAPPED: Final = re.compile(r'(?:="(.*)"|"(.*)"|\'(.*)|tel:(.*))', re.IGNORECASE)
_SCIENTIFIC: Final = re.compile(r"(\+?)([0-9])(?:[.,]([0-9]+))?E\+?([0-9]{1,2})", re.IGNORECASE | re.ASCII)
_THOUSANDS: Final = r"[0-9]{1,3}(?:%s[0-9]{3})+"
_DECIMAL: Final = re.compile(
    rf"(\+?(?:[0-9]{{8,17}}|{_THOUSANDS % '[ ,]'}|{_THOUSANDS % chr(39)}))\.([0-9]+)"
    rf"|(\+?(?:[0-9]{{8,17}}|{_THOUSANDS % '[ .]'}|{_THOUSANDS % chr(39)})),([0-9]+)",
    re.ASCII,
)
_BETWEEN: Final = re.compile(r"[\s().,'’/\-]")
_DIGITS: Final = re.compile(r"\+?[0-9]+", re.ASCII)
_FEWEST: Final = 8
_MOST: Final = 17  # 15 of E.164 behind the international prefix 00


def read_number(typed: str, region: str) -> str | NumberFault:
    """E.164 digits of a phone number as it was written. `region`: ISO 3166 of national forms, or empty.

    Spaces, dashes, dots, brackets, thousands separators and marks that nobody sees do not matter; `….0` and
    `3.80501234567E+11` are what spreadsheets write, and are read where no digit is lost.
    """
    text = clean(typed[: 4 * MOST_TYPED]).strip()
    if not text:
        return NumberFault.EMPTY
    if len(text) > MOST_TYPED:
        return NumberFault.LONG
    wrapped = _WRAPPED.fullmatch(text)
    text = next(filter(None, wrapped.groups()), "").strip() if wrapped else text
    whole = _whole(text)
    if isinstance(whole, NumberFault):
        return whole
    digits = _BETWEEN.sub("", whole)
    if not _DIGITS.fullmatch(digits):
        return NumberFault.SIGNS
    return _in_plan(digits, region)


def _whole(text: str) -> str | NumberFault:
    """Without what a spreadsheet has added; the fault where it has taken something away."""
    if scientific := _SCIENTIFIC.fullmatch(text):
        plus, first, rest, exponent = scientific.groups()
        digits, size = first + (rest or ""), int(exponent) + 1
        lost = len(digits) < size or digits[size:].strip("0")
        return NumberFault.CUT if lost else plus + digits[:size]
    if decimal := _DECIMAL.fullmatch(text):
        before, fraction = decimal[1] or decimal[3], decimal[2] or decimal[4]
        # Groups of three may go on behind a sign that elsewhere begins a fraction.
        if fraction.strip("0") == "":
            return before
        return NumberFault.FRACTION if len(fraction) != 3 or _DIGITS.fullmatch(before) else text
    return text


def _in_plan(digits: str, region: str) -> str | NumberFault:
    number = by_plan(digits, region) if _FEWEST <= len(digits.removeprefix("+")) <= _MOST else None
    if number is not None:
        return number
    bare = digits.removeprefix("+").removeprefix("00")
    if len(bare) < _FEWEST:
        return NumberFault.SHORT
    if len(bare) > _MOST - 2:
        return NumberFault.LONG
    known = digits.startswith(("+", "00")) or region
    return NumberFault.PLAN if known or _almost(bare) else NumberFault.COUNTRY


def _almost(bare: str) -> bool:
    """Whether a digit less or more would be a number: the country code is there, a digit is not right."""
    return by_plan(f"+{bare[:-1]}", "") is not None or by_plan(f"+{bare}0", "") is not None
