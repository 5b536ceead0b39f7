"""The ledger's writes: each inserts only what is not there yet, so that a batch may be settled twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    bindparam,
    select,
)

from gateway.store.sql import schema
from gateway.store.sql.statements import Many, dialect, execute_many, found


class Activated(NamedTuple):
    """Who activated a code, by which text, when (ms since 1970), for how many points."""

    shopper_id: int
    message_id: str
    claimed_at: int
    points: int


class Standing(NamedTuple):
    """A shopper whom the ledger knows. `points`: at the firm that was asked about, 0 without entries.

    `told_at`: when (ms) the alias was told by call, where no text has come from the number since. `language`:
    what the shopper has told, and `language_at` when (ms), 0 where that is not known.
    """

    id: int
    points: int
    told_at: int | None
    language: str | None = None
    language_at: int = 0


def standing(connection: Connection, firm_id: int, shoppers: Sequence[str]) -> dict[str, Standing]:
    """Those of the shopper keys that are known."""
    known: dict[str, Standing] = {}
    rows = found(connection, "standing", _standing, shoppers, {"b_firm": firm_id})
    for key, id_, points, told_at, ends_at, language, language_at in rows:
        if key not in known or ends_at is None:  # an alias that was replaced needs no proof any more
            unproved = told_at if ends_at is None else None
            known[key] = Standing(id_, points or 0, unproved, language, language_at or 0)
    return known


def activated(connection: Connection, codes: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Activated]:
    """Those of the codes (space, serial) that the ledger knows as activated."""
    by_space: dict[int, list[int]] = {}
    for space, serial in codes:
        by_space.setdefault(space, []).append(serial)
    return {
        (space, serial): Activated(shopper_id=shopper, message_id=message, claimed_at=at, points=points)
        for space, serials in by_space.items()
        for serial, shopper, message, at, points in found(
            connection, "activated", _activated, serials, {"b_space": space}
        )
    }


def credit(connection: Connection, firm_id: int, deltas: Mapping[int, int]) -> None:
    """Add points to the balances of shoppers; rows that are missing are made."""
    if deltas:
        rows = [{"shopper_id": s, "firm_id": firm_id, "points": d} for s, d in sorted(deltas.items())]
        execute_many(connection, "credit", lambda: _credit(connection), rows)


def _credit(connection: Connection) -> Any:
    added = dialect(connection).insert(schema.balance)
    return added.on_conflict_do_update(
        index_elements=["shopper_id", "firm_id"],
        set_={"points": schema.balance.c.points + added.excluded.points},
    )


def _standing(many: Many) -> Any:
    """A row for each alias that was told by call and not proved, at least one.

    Of the current ones alone SQLite would ask the index of all aliases, which is not small.
    """
    s, b, a = schema.shopper, schema.balance, schema.alias
    here = (b.c.shopper_id == s.c.id) & (b.c.firm_id == bindparam("b_firm"))
    unproved = (a.c.shopper_id == s.c.id) & a.c.told_at.is_not(None) & a.c.texted_at.is_(None)
    joined = s.outerjoin(b, here).outerjoin(a, unproved)
    columns = (s.c.key, s.c.id, b.c.points, a.c.told_at, a.c.ends_at, s.c.language, s.c.language_at)
    return select(*columns).select_from(joined).where(s.c.key.in_(many))


def _activated(many: Many) -> Any:
    t = schema.activation
    found = select(t.c.serial, t.c.shopper_id, t.c.message_id, t.c.claimed_at, t.c.points)
    return found.where(t.c.space_id == bindparam("b_space"), t.c.serial.in_(many))


# The statements below are compiled once, and their values go to the driver as they are: for a small batch
# SQLAlchemy's own way from a statement to the database costs more than the database does.
