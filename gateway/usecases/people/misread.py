"""People stored under numbers that were read wrongly, as national ones before a region was known.

Nobody is changed: it tells who they are by their shopper id, and what their number would be read as now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Engine, select

from gateway.domain.people.numbers import by_plan, country_codes_of
from gateway.store.people.shoppers import SEAL_SHOPPER
from gateway.store.sql import schema
from gateway.store.vault.vault import SealBroken, Vault

PURPOSE: Final = "misread numbers"
PAGE: Final = 2_000


class Why(StrEnum):
    """What is wrong with a stored number."""

    NO_PLAN = "no country has such a number"
    ELSEWHERE = "of no country served, and a national number of one that is"
    SEALED = "it cannot be opened: its sealing key is gone, or it was changed"


class Misread(NamedTuple):
    """One person. `number`: as stored, digits, empty where it cannot be opened; `read_as`: E.164 digits now,
    None where it is none or two.

    `other`: the shopper id of whoever is stored under that already.
    """

    shopper_id: int
    number: str
    why: Why
    read_as: str | None
    other: int | None


def misread(engine: Engine, vault: Vault, regions: Sequence[str]) -> Iterator[Misread]:
    """Those stored wrongly, in the order of their ids. `regions`: countries served, ISO 3166.

    Raises SQLAlchemyError.
    """
    s, after = schema.shopper, 0
    page = select(s.c.id, s.c.number).where(s.c.erased_at.is_(None)).order_by(s.c.id).limit(PAGE)
    while True:
        with engine.connect() as connection:
            rows = connection.execute(page.where(s.c.id > after)).all()
        for id_, sealed in rows:
            try:
                number = vault.open(SEAL_SHOPPER, sealed, counted_for=PURPOSE).decode()
            except SealBroken:
                yield Misread(id_, "", Why.SEALED, None, None)
                continue
            readings = _readings(number, regions)
            if (why := fault(number, regions)) is not None:
                read_as = readings.pop() if len(readings) == 1 else None
                yield Misread(id_, number, why, read_as, _other(engine, vault, read_as))
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def fault(number: str, regions: Sequence[str]) -> Why | None:
    """What is wrong with a stored number (digits); None where nothing is.

    >>> fault("0671234567", ["UA"]).name, fault("380671234567", ["UA"]), fault("48501234567", ["UA"])
    ('NO_PLAN', None, None)
    """
    if by_plan(f"+{number}", "", network=True) != number:
        return Why.NO_PLAN
    served = country_codes_of(regions)
    if number.startswith(served) or not _readings(number, regions):
        return None
    return Why.ELSEWHERE


def _readings(number: str, regions: Sequence[str]) -> set[str]:
    """What else it may be where it was written in a national form."""
    found = (by_plan(number, region) for region in regions)
    return {reading for reading in found if reading is not None and reading != number}


def _other(engine: Engine, vault: Vault, number: str | None) -> int | None:
    if number is None:
        return None
    s = schema.shopper
    with engine.connect() as connection:
        return connection.scalar(select(s.c.id).where(s.c.key == vault.index(number)))
