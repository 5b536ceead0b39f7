"""Ids of messages that an SMSC writes in one form in its response and in another in its receipt. Pure.

Most often one of the two is hexadecimal and the other decimal, or one is padded with zeros. Trying every form
on every link would match receipts to strangers' messages, so a form counts only where it is set or proved.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_WIDTHS: Final = (8, 10, 16, 20)  # to which SMSCs pad
_LONGEST: Final = 64  # octets of an id (SMPP 3.4, 5.2.23)


class IdForm(StrEnum):
    """What the receipt's id is, beside that of the response."""

    CASE = "case"  # in other letters
    ZEROS = "zeros"  # with more or fewer leading zeros
    DECIMAL = "decimal"  # decimal, the response's hexadecimal
    HEXADECIMAL = "hexadecimal"  # hexadecimal, the response's decimal


def candidates(receipted: str, form: IdForm) -> frozenset[str]:
    """What the response may have said where the receipt says `receipted`; never `receipted` itself."""
    return frozenset(_candidates(receipted[:_LONGEST], form)) - {receipted}


def _candidates(receipted: str, form: IdForm) -> set[str]:
    if form is IdForm.CASE:
        return {receipted.lower(), receipted.upper()}
    if form is IdForm.ZEROS:
        return _padded(receipted.lstrip("0") or "0")
    try:
        number = int(receipted, 10 if form is IdForm.DECIMAL else 16) if receipted.isalnum() else -1
    except ValueError:
        return set()
    if number < 0:
        return set()
    if form is IdForm.HEXADECIMAL:
        return _padded(str(number))
    return _padded(f"{number:x}") | _padded(f"{number:X}")


def _padded(text: str) -> set[str]:
    return {text, *(text.zfill(width) for width in _WIDTHS)}
