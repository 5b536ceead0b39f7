"""The ledger's writes: each inserts only what is not there yet, so that a batch may be settled twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import schema

_CHUNK = 400  # variables of one statement stay under SQLite's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """Who activated a code, by which text, when (ms since 1970), for how many points."""

    shopper_id: int
    message_id: str
    claimed_at: int
    points: int


def shopper_ids(connection: Connection, shoppers: Sequence[str]) -> dict[str, int]:
    """The ids of the shopper keys that are known."""
    table = schema.shopper
    found: dict[str, int] = {}
    for chunk in _chunks(shoppers):
        rows = connection.execute(select(table.c.key, table.c.id).where(table.c.key.in_(chunk)))
        found.update((key, id_) for key, id_ in rows)
    return found


def activated(connection: Connection, codes: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Activated]:
    """Those of the codes (space, serial) that the ledger knows as activated."""
    t = schema.activation
    by_space: dict[int, list[int]] = {}
    for space, serial in codes:
        by_space.setdefault(space, []).append(serial)
    found: dict[tuple[int, int], Activated] = {}
    for space, serials in by_space.items():
        for chunk in _chunks(serials):
            rows = connection.execute(
                select(t.c.serial, t.c.shopper_id, t.c.message_id, t.c.claimed_at, t.c.points).where(
                    t.c.space_id == space, t.c.serial.in_(chunk)
                )
            )
            for serial, shopper, message, at, points in rows:
                found[space, serial] = Activated(
                    shopper_id=shopper, message_id=message, claimed_at=at, points=points
                )
    return found


def insert_missing(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that breaks a unique key stands already and is left as it is."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def insert_all(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are known to be new; a conflict rolls the batch back and it is settled again."""
    if rows:
        connection.execute(insert(table), list(rows))


def credit(connection: Connection, firm_id: int, deltas: Mapping[int, int]) -> None:
    """Add points to the balances of shoppers; rows that are missing are made."""
    if not deltas:
        return
    t = schema.balance
    insert_missing(
        connection, t, [{"shopper_id": s, "firm_id": firm_id, "points": 0} for s in sorted(deltas)]
    )
    connection.execute(
        update(t)
        .where(t.c.shopper_id == bindparam("b_shopper"), t.c.firm_id == firm_id)
        .values(points=t.c.points + bindparam("b_points")),
        [{"b_shopper": s, "b_points": d} for s, d in sorted(deltas.items())],
    )


def balances(connection: Connection, firm_id: int, shoppers: Iterable[int]) -> dict[int, int]:
    """The confirmed points of shoppers at a firm; one without entries has none."""
    t = schema.balance
    found: dict[int, int] = {}
    for chunk in _chunks(sorted(set(shoppers))):
        rows = connection.execute(
            select(t.c.shopper_id, t.c.points).where(t.c.firm_id == firm_id, t.c.shopper_id.in_(chunk))
        )
        found.update((shopper, points) for shopper, points in rows)
    return found


def alias_counters(connection: Connection, shoppers: Sequence[int], now: int) -> dict[int, int]:
    """The alias counter of each shopper; one who has none gets the next."""
    t = schema.alias
    insert_missing(connection, t, [{"shopper_id": s, "created_at": now} for s in sorted(set(shoppers))])
    found: dict[int, int] = {}
    for chunk in _chunks(sorted(set(shoppers))):
        rows = connection.execute(select(t.c.shopper_id, t.c.id).where(t.c.shopper_id.in_(chunk)))
        found.update((shopper, counter) for shopper, counter in rows)
    return found


def known_messages(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The states of those of these answers that stand in the ledger already."""
    t = schema.message
    found: dict[str, str] = {}
    for chunk in _chunks(ids):
        rows = connection.execute(select(t.c.id, t.c.state).where(t.c.id.in_(chunk)))
        found.update((id_, state) for id_, state in rows)
    return found


def end_messages(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """File what became of answers: `b_id`, `state`, `smsc_id`, `attempts`, `error`, `ended_at`."""
    if not outcomes:
        return
    t = schema.message
    connection.execute(
        update(t)
        .where(t.c.id == bindparam("b_id"))
        .values(
            state=bindparam("b_state"),
            smsc_id=bindparam("b_smsc"),
            attempts=bindparam("b_attempts"),
            error=bindparam("b_error"),
            ended_at=bindparam("b_ended"),
            sealed=None,
        ),
        list(outcomes),
    )


def note_receipts(connection: Connection, link: str, receipts: Sequence[Mapping[str, Any]]) -> set[str]:
    """File delivery receipts of a link (`b_smsc`, `b_state`, `b_error`, `b_ended`).

    Returns the SMSC's ids that no answer has (yet).
    """
    t = schema.message
    ids = [r["b_smsc"] for r in receipts]
    known: set[str] = set()
    for chunk in _chunks(ids):
        known.update(connection.scalars(select(t.c.smsc_id).where(t.c.smsc_id.in_(chunk), t.c.link == link)))
    matched = [r for r in receipts if r["b_smsc"] in known]
    if matched:
        connection.execute(
            update(t)
            .where(t.c.smsc_id == bindparam("b_smsc"), t.c.link == link)
            .values(state=bindparam("b_state"), error=bindparam("b_error"), ended_at=bindparam("b_ended")),
            matched,
        )
    return set(ids) - known


def set_watermark(connection: Connection, firm_id: int, outbox_id: str) -> None:
    """Note how far a firm's outbox is settled."""
    t = schema.settled
    insert_missing(connection, t, [{"firm_id": firm_id, "outbox_id": "0-0"}])
    connection.execute(update(t).where(t.c.firm_id == firm_id).values(outbox_id=outbox_id))


def _chunks(items: Sequence[Any]) -> Iterable[list[Any]]:
    return ([*items[i : i + _CHUNK]] for i in range(0, len(items), _CHUNK))
