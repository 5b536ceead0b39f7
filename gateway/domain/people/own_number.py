"""Our own number as an operator writes it in a message to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import phonenumbers

from gateway.domain.codes.alphabet import clean

T = TypeVar("T")


def own_number(written: str, ours: Mapping[str, T], region: str) -> T | None:
    """What stands in `ours` under our number; None where it is none of ours, or could be two.

    `written`: with a plus, zeros or the country code before it, which is that of `region` (ISO 3166, or
    empty), or with marks that nobody sees.

    >>> own_number("+4040", {"4040": 1}, ""), own_number("3804040", {"4040": 1}, "UA")
    (1, 1)
    """
    bare = _bare(clean(written).strip())
    code = str(phonenumbers.country_code_for_region(region)) if region else "0"
    for said in (bare, bare.removeprefix(code)):
        found = [value for number, value in ours.items() if said and _bare(number) == said]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _bare(number: str) -> str:
    return number.removeprefix("+").lstrip("0")
