"""Whose national numbers are understood: those of the countries in which campaigns run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from config.countries import country_of
from gateway.domain.codes.catalog import Campaign
from gateway.domain.people.typed_numbers import NumberFault, read_number


def regions_of(campaigns: Iterable[Campaign]) -> tuple[str, ...]:
    """Their countries (ISO 3166) by their time zones; of those that are over only where all of them are."""
    found = list(campaigns)
    living = [campaign for campaign in found if campaign.state != "ended"] or found
    return tuple(sorted({country_of(campaign.timezone) for campaign in living} - {""}))


def read_in(typed: str, regions: Sequence[str]) -> str | NumberFault:
    """E.164 digits of a number as it was typed, whose national form may be of any of these countries.

    Nothing is guessed: what would be one number here and another one there is a fault.

    >>> read_in("050 000 00 01", ("KZ", "UA")), read_in("501 234 567", ("PL", "UA")).name
    ('380500000001', 'SEVERAL')
    """
    readings = [read_number(typed, region) for region in regions or ("",)]
    numbers = {reading for reading in readings if not isinstance(reading, NumberFault)}
    if len(numbers) > 1:
        return NumberFault.SEVERAL
    return numbers.pop() if numbers else readings[0]


def read_first(typed: str, *tiers: Sequence[str]) -> str | NumberFault:
    """As `read_in` of the first of these that has it; where none has, the fault in the first known one."""
    known = [tier for tier in tiers if tier] or [()]
    readings = [read_in(typed, tier) for tier in known]
    certain = (reading for reading in readings if reading not in _PASSED_ON)
    return next(certain, readings[0])


# Another country may have it: what is wrong with a number in each is passed over.
_PASSED_ON = frozenset(NumberFault) - {NumberFault.SEVERAL}
