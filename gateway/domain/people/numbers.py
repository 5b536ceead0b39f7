"""Phone numbers in one form, E.164 digits without plus, whoever wrote them. Pure.

One person is one number: each is read by its country's numbering plan, whatever type an SMSC gives it, so a
trunk digit that was kept or a plus that was lost is nobody else. What no plan has is no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

_INTERNATIONAL = re.compile(r"[1-9][0-9]{7,14}", re.ASCII)  # E.164: 15 digits at most
_DIALLED = re.compile(r"\+?[0-9]{8,17}", re.ASCII)
_TON_INTERNATIONAL: Final = 1  # SMPP 3.4, 5.2.5
_TON_ALPHANUMERIC: Final = 5
_OLD_TRUNK_REGIONS: Final = ("UA", "BY", "KZ", "RU")
# Ukraine's trunk prefix until 2009, which people and switches still write: 8 050 … is 050 …
_OLD_TRUNK: Final = {"UA": re.compile(r"80[3-9][0-9]{8}", re.ASCII)}


def parse_msisdn(address: str, ton: int, default_region: str) -> str | None:
    """The number of a person's phone from a source address; None for a sender that cannot be answered.

    `address`, `ton`: as in the PDU. `default_region`: ISO 3166 country of numbers in national form, or empty.
    None: alphanumeric senders, short numbers (under 8 digits) and what no numbering plan has.
    """
    if ton == _TON_INTERNATIONAL and _is_mobile(address):
        return address
    if ton == _TON_ALPHANUMERIC or not _DIALLED.fullmatch(address):
        return None
    found = by_plan(address, default_region, international=ton == _TON_INTERNATIONAL, network=True)
    return found or _by_old_trunk(address)


@lru_cache(maxsize=4096)
def by_plan(address: str, region: str, *, international: bool = False, network: bool = False) -> str | None:
    """E.164 digits of a number that a numbering plan has; None where none has it.

    `address`: digits, with + or not. `region`: as above. `international`: it is said to begin with its
    country code, which is tried first then; of digits without a word the country's own reading goes first.
    `network`: a network says it, so it is somebody's even if its range was opened after our data were made.
    """
    digits = address.removeprefix("+")
    full = ("+" + digits.removeprefix("00"), None)
    own = (_without_old_trunk(digits, region), region)
    international = international or address.startswith(("+", "00"))
    forms = (full, own) if international else (own, full)
    found = [number for written, country in forms if (number := _parsed(written, country)) is not None]
    best = next(filter(phonenumbers.is_valid_number, found), None)
    best = best or next((number for number in found if _may_be(number, begins_so=not network)), None)
    return None if best is None else _e164(best)


@lru_cache(maxsize=1024)
def _by_old_trunk(address: str) -> str | None:
    """What no plan has and begins with the trunk digit 8: the mobile number that it is, if it is one."""
    if not address.startswith("8"):
        return None
    found = {
        number for region in _OLD_TRUNK_REGIONS if (number := by_plan(address, region)) and _is_mobile(number)
    }
    return found.pop() if len(found) == 1 else None


def _parsed(written: str, country: str | None) -> PhoneNumber | None:
    if country == "":
        return None
    try:
        return phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None


def _may_be(number: PhoneNumber, *, begins_so: bool) -> bool:
    """A mobile number by its length. `begins_so`: and as some number of its country begins."""
    fits = phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
    if fits != ValidationResult.IS_POSSIBLE or not begins_so:
        return fits == ValidationResult.IS_POSSIBLE
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    plan = PhoneMetadata.metadata_for_region(region, None)
    pattern = (plan.general_desc.national_number_pattern if plan and plan.general_desc else None) or ""
    return re.fullmatch(pattern, phonenumbers.national_significant_number(number)) is not None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _without_old_trunk(digits: str, region: str) -> str:
    old = _OLD_TRUNK.get(region)
    return digits[1:] if old and old.fullmatch(digits) else digits


def _is_mobile(address: str) -> bool:
    """Whether it is a mobile number in E.164 digits, beyond doubt: costs a fiftieth of the whole plan."""
    if not _INTERNATIONAL.fullmatch(address):
        return False
    mobiles = _mobiles(address[0]) or _mobiles(address[:2]) or _mobiles(address[:3])
    return mobiles is not None and mobiles.fullmatch(address) is not None


@cache
def _mobiles(code: str) -> re.Pattern[str] | None:
    """The mobile numbers of a country code; None if there is no such code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    plans = (PhoneMetadata.metadata_for_region(region, None) for region in regions)
    patterns = [p.mobile.national_number_pattern for p in plans if p and p.mobile]
    if not regions:
        return None
    return re.compile(rf"{code}(?:{'|'.join(filter(None, patterns)) or '(?!)'})", re.ASCII)


def country_codes_of(regions: Iterable[str]) -> tuple[str, ...]:
    """What numbers of these countries (ISO 3166) begin with.

    >>> country_codes_of(["UA", "KZ"])
    ('380', '7')
    """
    return tuple(str(phonenumbers.country_code_for_region(region)) for region in regions if region)
