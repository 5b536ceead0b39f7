"""Ids of messages that an SMSC writes in one form in its response and in another in its receipt. Pure.

Most often they differ in case or in leading zeros, which a normal form takes away at any length, or one
of the two is hexadecimal and the other decimal. Trying every form on every link would match receipts to
strangers' messages, so a form counts only where it is set or proved.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_LONGEST: Final = 64  # octets of an id (SMPP 3.4, 5.2.23)


class IdForm(StrEnum):
    """What the receipt's id is, beside that of the response."""

    CASE = "case"  # in other letters
    ZEROS = "zeros"  # with more or fewer leading zeros
    DECIMAL = "decimal"  # decimal, the response's hexadecimal
    HEXADECIMAL = "hexadecimal"  # hexadecimal, the response's decimal


ALIKE: Final = frozenset((IdForm.CASE, IdForm.ZEROS))  # these two are one: of equal normal forms


def normal(id_: str) -> str:
    """The form in which ids are compared: small letters, no leading zeros.

    >>> normal("SAR-x-1EEDF843-2-1"), normal("00042")
    ('sar-x-1eedf843-2-1', '42')
    """
    return id_.lstrip("0").lower()


def in_form(receipted: str, form: IdForm) -> str | None:
    """The normal form of what the response said where the receipt says `receipted`; None: it has none."""
    receipted = receipted[:_LONGEST]
    if form in ALIKE:
        return normal(receipted)
    try:
        number = int(receipted, 10 if form is IdForm.DECIMAL else 16) if receipted.isalnum() else -1
    except ValueError:
        return None
    if number < 0:
        return None
    return normal(str(number) if form is IdForm.HEXADECIMAL else f"{number:x}")


def alike(receipted: str, answered: str) -> IdForm | None:
    """The form that tells two ids of one normal form apart; None where they are the same."""
    if receipted == answered:
        return None
    return IdForm.CASE if receipted.lower() == answered.lower() else IdForm.ZEROS
