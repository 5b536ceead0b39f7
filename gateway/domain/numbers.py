"""Phone numbers as an SMSC gives them, in one form: E.164 digits without plus."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import phonenumbers

_INTERNATIONAL = re.compile(r"[1-9][0-9]{7,14}", re.ASCII)  # E.164: 15 digits at most
_DIALLED = re.compile(r"\+?[0-9]{8,17}", re.ASCII)
_TON_INTERNATIONAL: Final = 1  # SMPP 3.4, 5.2.5
_TON_ALPHANUMERIC: Final = 5


def parse_msisdn(address: str, ton: int, default_region: str) -> str | None:
    """The number of a person's phone from a source address; None for a sender that cannot be answered.

    `address`, `ton`: as in the PDU. `default_region`: ISO 3166 country of numbers in national form, or empty.
    None: alphanumeric senders, short numbers (under 8 digits) and what no numbering plan has.
    """
    if ton == _TON_INTERNATIONAL and _INTERNATIONAL.fullmatch(address):
        return address
    if ton == _TON_ALPHANUMERIC or not _DIALLED.fullmatch(address):
        return None
    return _by_plan(address, default_region)


@lru_cache(maxsize=4096)
def _by_plan(address: str, region: str) -> str | None:
    digits = address.removeprefix("+")
    international = "+" + digits.removeprefix("00")
    # Senders without plus come in both forms; the country's own reading goes first.
    forms = (
        [(international, None)]
        if address.startswith(("+", "00"))
        else [(digits, region), (international, None)]
    )
    for written, country in forms:
        if country == "":
            continue
        try:
            number = phonenumbers.parse(written, country)
        except phonenumbers.NumberParseException:
            continue
        # Not the test that also takes numbers which can only be dialled from the same town.
        possible = phonenumbers.is_possible_number_with_reason(number)
        if possible == phonenumbers.ValidationResult.IS_POSSIBLE:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    return None
