"""Who calls, as far as Asterisk can tell, and in which language to begin. Pure.

A withheld number still stands in `agi_callerid`, so the presentation is looked at first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers

from gateway.domain.people.numbers import parse_msisdn

# Bits 6 and 7 of Q.931, 4.5.10 (octet 3a): allowed, restricted, not available, reserved.
_PRESENTATION: Final = 0x60
_ALLOWED: Final = 0x00
_NOT_AVAILABLE: Final = 0x40
_UNKNOWN_NUMBERS: Final = frozenset({"", "unknown", "anonymous"})
_LANGUAGES: Final = {"UA": "uk", "RU": "ru", "KZ": "kk"}  # of other countries: English
# The longest prefix decides. +7 6 and +7 7 are Kazakhstan's share of the common country code.
_PREFIXES: Final = (("380", "uk"), ("76", "kk"), ("77", "kk"), ("7", "ru"))
_UNASSIGNED: Final = 0  # Q.931's numbering type "unknown": as SMPP's TON 0, digits in either form


class Sight(StrEnum):
    """How well we see who calls; the record of the call has these words."""

    KNOWN = "known"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"  # the network gave no number
    MALFORMED = "malformed"  # what it gave is no number
    FOREIGN = "foreign"  # of a country that this line does not serve


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`number`: E.164 digits; empty unless known. `language`: to begin with."""

    sight: Sight
    language: str
    number: str = field(default="", repr=False)


def caller(callerid: str, callingpres: str, region: str, countries: Collection[str]) -> Caller:
    """Who calls. `callerid`, `callingpres`: as in AGI's environment.

    `region`: ISO 3166 country of numbers in national form, or empty. `countries`: whose numbers are served;
    none: all.
    """
    home = _LANGUAGES.get(region, "en")
    presentation = int(callingpres) & _PRESENTATION if callingpres.isdecimal() else None
    if presentation == _NOT_AVAILABLE:
        return Caller(sight=Sight.UNKNOWN, language=home)
    if presentation != _ALLOWED:
        return Caller(sight=Sight.WITHHELD, language=home)
    if callerid.lower() in _UNKNOWN_NUMBERS:
        return Caller(sight=Sight.UNKNOWN, language=home)
    number = parse_msisdn(callerid, _UNASSIGNED, region)
    if number is None:
        return Caller(sight=Sight.MALFORMED, language=home)
    language = next((said for prefix, said in _PREFIXES if number.startswith(prefix)), "en")
    if countries and _country(number) not in countries:
        return Caller(sight=Sight.FOREIGN, language=language)
    return Caller(sight=Sight.KNOWN, language=language, number=number)


@lru_cache(maxsize=4096)
def _country(number: str) -> str | None:
    return phonenumbers.region_code_for_number(phonenumbers.parse(f"+{number}"))
