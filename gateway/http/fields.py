"""What all activations by HTTP have in common: numbers as people type them, short numbers, answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.domain.codes.catalog import Campaign, Catalog, ShortNumber
from gateway.domain.people.regions import read_first, regions_of
from gateway.domain.people.typed_numbers import NumberFault
from gateway.domain.written import instants
from gateway.http.problems import Kind, Problem
from gateway.usecases.codes.activation import Answered, CodeAnswer

LONGEST_CODE = 64  # characters, with whatever separators people type


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings say. `link`: by which one answers to a number leave, empty where none carries it.

    `regions`: of the links (ISO 3166): whose national numbers are understood where no campaign tells it.
    """

    link: Callable[[str], str]
    regions: tuple[str, ...]
    most_codes: int


def number(typed: str, catalog: Catalog, terms: Terms, campaigns: Iterable[Campaign]) -> str:
    """E.164 digits of a phone number as it was typed, in a national form of the campaigns' countries, too.

    Raises Problem.
    """
    found = read_first(typed, regions_of(campaigns), terms.regions)
    if isinstance(found, NumberFault):
        raise refused("phone", found)
    if found in catalog.short_numbers or typed in catalog.short_numbers:
        raise refused("phone", "is a short number of ours, no phone's")
    return found


def campaigns_at(short: ShortNumber, catalog: Catalog) -> list[Campaign]:
    """Those that are texted to at a short number."""
    return [catalog.campaigns[id_] for id_ in short.campaign_ids if id_ in catalog.campaigns]


def campaigns_of(firm: int | None, catalog: Catalog) -> list[Campaign]:
    """Those of a firm; of all where it is None."""
    return [campaign for campaign in catalog.campaigns.values() if firm in (None, campaign.firm_id)]


def short_number(wanted: str | None, numbers: Sequence[ShortNumber]) -> ShortNumber:
    """The short number that was named, or the only one there is. Raises Problem."""
    found = [n for n in numbers if wanted in (None, n.number)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise refused("short_number", "no codes are taken at this number" if wanted else "there is none yet")
    raise refused("short_number", "is needed: " + ", ".join(sorted(n.number for n in found)))


def refused(field: str, told: str) -> Problem:
    """A field that is of the right form and still cannot be."""
    errors = [{"pointer": f"#/{field}", "detail": told}]
    return Problem(Kind.BAD_REQUEST, 422, f"{field} {told}.", errors=errors)


def wait_s(answered: Answered) -> int:
    """Seconds until a limit is over."""
    return max(1, answered.limited_until - int(time.time()))


def result(code: CodeAnswer) -> dict[str, object]:
    """An outcome without the code: what can still be redeemed is never said back."""
    told: dict[str, object] = {"outcome": code.outcome.value}
    if code.points:
        told["points"] = code.points
    name = _DATES.get(code.outcome.value)
    if name and code.at is not None:
        told[name] = instants.told(code.at, "seconds")
    return told


_DATES = {"already_yours": "credited_at", "not_started": "starts_at"}
