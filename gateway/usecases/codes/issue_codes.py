"""Codes for the printer: a series takes a run of serials in a space whose odds it does not break."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import Connection, Engine, func, insert, select, update

from gateway.domain.codes.alphabet import ALPHABETS, printed
from gateway.domain.codes.codespace import (
    MAX_LENGTH,
    MIN_LENGTH,
    CodeSpace,
    SpaceTooSmall,
    capacity,
    shortest_length,
)
from gateway.store.codes.catalog import space_key
from gateway.store.codes.series import live
from gateway.store.sql import database, schema
from gateway.store.vault.vault import Vault
from gateway.usecases.firms.set_up import Refused

MOST_CODES = 2_000_000_000
MOST_BATCHES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSeries:
    """A series ready for the printer."""

    series_id: int
    batches: tuple[tuple[int, int], ...]  # print batch id, size
    firm_id: int
    space: CodeSpace
    first: int
    size: int

    def codes(self) -> Iterator[tuple[int, str]]:
        """(serial, code as printed), made on the way; nothing is stored."""
        for serial in range(self.first, self.first + self.size):
            yield serial, printed(self.space.encode(serial))


def issue(
    engine: Engine,
    vault: Vault,
    *,
    campaign: int,
    count: int,
    alphabet: str,
    odds: int,
    length: int | None,
    batch_size: int | None = None,
) -> IssuedSeries:
    """A new series of `count` codes. `length` None: the shortest that keeps the odds.

    `batch_size`: codes of a print batch, the last one may be smaller; None: all are one batch.
    Raises Refused when the campaign is unknown or over, or the odds (one in `odds`) would be broken.
    """
    if alphabet not in ALPHABETS:
        raise Refused(f"no alphabet {alphabet!r}: take one of {', '.join(ALPHABETS)}")
    if not 0 < count <= MOST_CODES:
        raise Refused(f"count must be between 1 and {MOST_CODES:,}")
    sizes = _batch_sizes(count, batch_size)
    now = int(time.time() * 1000)
    with database.writing(engine) as connection:
        database.take_turn(
            connection, "code spaces"
        )  # two series at once would break the odds, or share a length
        row = connection.execute(select(schema.campaign).where(schema.campaign.c.id == campaign)).first()
        if row is None:
            raise Refused(f"no campaign {campaign}: see `undercap campaign list`")
        if row.state == "ended" or row.ends_at <= now:
            raise Refused(f"campaign {campaign} is over: nobody could use its codes")
        numbers = _numbers(connection, campaign)
        space = _space(connection, vault, numbers, alphabet, count, odds, length, now)
        first: int = connection.execute(
            select(schema.code_space.c.next_serial)
            .where(schema.code_space.c.id == space.id)
            .with_for_update()  # two series must not begin at the same serial
        ).scalar_one()
        series = connection.execute(
            insert(schema.code_series).values(
                space_id=space.id, campaign_id=campaign, first_serial=first, size=count, created_at=now
            )
        ).inserted_primary_key[0]  # type: ignore[index]
        connection.execute(
            insert(schema.print_batch),
            [
                {"series_id": series, "first_serial": first + at, "size": size}
                for at, size in zip(accumulate(sizes, initial=0), sizes, strict=False)
            ],
        )
        batches = _batches(connection, series)
        connection.execute(
            update(schema.code_space)
            .where(schema.code_space.c.id == space.id)
            .values(next_serial=schema.code_space.c.next_serial + count)
        )
    return IssuedSeries(
        series_id=series, batches=batches, firm_id=row.firm_id, space=space, first=first, size=count
    )


def again(engine: Engine, vault: Vault, series_id: int) -> IssuedSeries:
    """The same series once more: print files need not be kept, the key makes them again. Raises Refused."""
    with engine.connect() as connection:
        row = connection.execute(
            select(schema.code_series, schema.code_space.c.alphabet, schema.code_space.c.length)
            .join(schema.code_space, schema.code_space.c.id == schema.code_series.c.space_id)
            .where(schema.code_series.c.id == series_id)
        ).first()
        if row is None:
            raise Refused(f"no code series {series_id}")
        batches = _batches(connection, series_id)
        firm = connection.scalar(
            select(schema.campaign.c.firm_id).where(schema.campaign.c.id == row.campaign_id)
        )
    space = CodeSpace(
        id=row.space_id, alphabet=row.alphabet, length=row.length, key=space_key(vault, row.space_id)
    )
    return IssuedSeries(
        series_id=series_id,
        batches=batches,
        firm_id=firm or 0,
        space=space,
        first=row.first_serial,
        size=row.size,
    )


def void_batch(engine: Engine, batch: int) -> int:
    """Void a leaked print batch: its unclaimed codes are no codes any more. The firm's id. Raises Refused."""
    t = schema.print_batch
    with database.writing(engine) as connection:
        firm = connection.scalar(
            select(schema.campaign.c.firm_id)
            .join(schema.code_series, schema.code_series.c.campaign_id == schema.campaign.c.id)
            .join(t, t.c.series_id == schema.code_series.c.id)
            .where(t.c.id == batch)
        )
        if firm is None:
            raise Refused(f"no print batch {batch}")
        connection.execute(
            update(t)
            .where(t.c.id == batch, t.c.voided_at.is_(None))
            .values(voided_at=int(time.time() * 1000))
        )
    return int(firm)


def _batch_sizes(count: int, batch_size: int | None) -> list[int]:
    size = count if batch_size is None else batch_size
    if size < 1 or count > size * MOST_BATCHES:
        raise Refused(f"batch size must be at least 1, and a series has at most {MOST_BATCHES:,} batches")
    whole, rest = divmod(count, size)
    return [size] * whole + ([rest] if rest else [])


def _batches(connection: Connection, series: int) -> tuple[tuple[int, int], ...]:
    t = schema.print_batch
    rows = connection.execute(
        select(t.c.id, t.c.size).where(t.c.series_id == series).order_by(t.c.first_serial)
    )
    return tuple((row.id, row.size) for row in rows)


def _numbers(connection: Connection, campaign: int) -> list[str]:
    t = schema.campaign_short_number
    numbers = list(connection.scalars(select(t.c.number).where(t.c.campaign_id == campaign)))
    if not numbers:
        raise Refused(f"campaign {campaign} has no short number")
    return numbers


def _space(
    connection: Connection,
    vault: Vault,
    numbers: list[str],
    alphabet: str,
    count: int,
    odds: int,
    length: int | None,
    now: int,
) -> CodeSpace:
    """A space of the alphabet that all the numbers reach, with room; a new, longer one when there is none."""
    t, reach = schema.code_space, schema.space_short_number
    at_numbers = (
        select(t.c.id, t.c.length, func.count().label("reached"))
        .join(reach, reach.c.space_id == t.c.id)
        .where(t.c.alphabet == alphabet, reach.c.number.in_(numbers))
        .group_by(t.c.id, t.c.length)
    )
    taken: set[int] = set()
    for row in connection.execute(at_numbers).all():
        taken.add(row.length)
        fits = length in (None, row.length) and row.reached == len(numbers)
        if fits and live(connection, row.id, now) + count <= capacity(alphabet, row.length, odds):
            return CodeSpace(id=row.id, alphabet=alphabet, length=row.length, key=space_key(vault, row.id))
    try:
        shortest = shortest_length(alphabet, count, odds)
    except SpaceTooSmall as err:
        raise Refused(str(err)) from err
    if length is not None and length < shortest:
        raise Refused(
            f"{count:,} codes of {length} {alphabet} could be guessed with more than one in {odds:,}: "
            f"take at least {max(shortest, MIN_LENGTH[alphabet])}"
        )
    if length is not None and length in taken:
        raise Refused(f"the space of {length} {alphabet} at this short number has no room: take a longer one")
    free = [n for n in range(length or shortest, (length or MAX_LENGTH) + 1) if n not in taken]
    if not free:
        raise Refused(f"no length up to {MAX_LENGTH} is free at this short number")
    id_ = connection.execute(
        insert(t).values(alphabet=alphabet, length=free[0], next_serial=0, created_at=now)
    ).inserted_primary_key[0]  # type: ignore[index]
    for number in numbers:
        connection.execute(insert(reach).values(space_id=id_, number=number))
    return CodeSpace(id=id_, alphabet=alphabet, length=free[0], key=space_key(vault, id_))
