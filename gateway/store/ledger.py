"""The ledger's writes: each inserts only what is not there yet, so that a batch may be settled twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, literal_column, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import schema

_CHUNK = 400  # variables of one statement stay under SQLite's limit


class Activated(NamedTuple):
    """Who activated a code, by which text, when (ms since 1970), for how many points."""

    shopper_id: int
    message_id: str
    claimed_at: int
    points: int


class Known(NamedTuple):
    """An answer that stands already. `sealed`: number and text, until its outcome is known."""

    state: str
    sealed: bytes | None


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
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        _many(
            connection,
            f"missing {table.name}",
            lambda: dialect.insert(table).on_conflict_do_nothing(),
            rows,
        )


def insert_all(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are known to be new; a conflict rolls the batch back and it is settled again."""
    if rows:
        _many(connection, f"new {table.name}", lambda: insert(table), rows)


def credit(connection: Connection, firm_id: int, deltas: Mapping[int, int]) -> None:
    """Add points to the balances of shoppers; rows that are missing are made."""
    if not deltas:
        return
    t = schema.balance
    insert_missing(
        connection, t, [{"shopper_id": s, "firm_id": firm_id, "points": 0} for s in sorted(deltas)]
    )
    _many(
        connection,
        "credit",
        lambda: _CREDIT,
        [{"b_firm": firm_id, "b_shopper": s, "b_points": d} for s, d in sorted(deltas.items())],
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


def known_messages(connection: Connection, ids: Sequence[str]) -> dict[str, Known]:
    """Those of these answers that stand in the ledger already."""
    t = schema.message
    found: dict[str, Known] = {}
    for chunk in _chunks(ids):
        rows = connection.execute(select(t.c.id, t.c.state, t.c.sealed).where(t.c.id.in_(chunk)))
        found.update((id_, Known(state, sealed)) for id_, state, sealed in rows)
    return found


def end_messages(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """File what became of answers: `b_id`, `b_state`, `b_smsc`, `b_attempts`, `b_error`, `b_ended`.

    An answer that has ended stays as it is: an outcome that is filed again must not undo a receipt.
    """
    if not outcomes:
        return
    _many(connection, "end message", lambda: _END_MESSAGE, outcomes)


def note_receipts(connection: Connection, link: str, receipts: Sequence[Mapping[str, Any]]) -> set[str]:
    """File delivery receipts of a link (`b_smsc`, `b_state`, `b_error`, `b_ended`).

    Returns the SMSC's ids that no answer has (yet).
    """
    t = schema.message
    ids = [r["b_smsc"] for r in receipts]
    known: set[str] = set()
    for chunk in _chunks(ids):
        known.update(connection.scalars(select(t.c.smsc_id).where(t.c.smsc_id.in_(chunk), t.c.link == link)))
    matched = [{**r, "b_link": link} for r in receipts if r["b_smsc"] in known]
    if matched:
        _many(connection, "receipt", lambda: _RECEIPT, matched)
    return set(ids) - known


def set_watermark(connection: Connection, firm_id: int, outbox_id: str) -> None:
    """Note how far a firm's outbox is settled. It never goes back: a batch may be settled late and again."""
    t = schema.settled
    insert_missing(connection, t, [{"firm_id": firm_id, "outbox_id": "0-0"}])
    stands = connection.scalar(select(t.c.outbox_id).where(t.c.firm_id == firm_id).with_for_update())
    if stream_id(outbox_id) > stream_id(stands or "0-0"):
        connection.execute(update(t).where(t.c.firm_id == firm_id).values(outbox_id=outbox_id))


def stream_id(text: str) -> tuple[int, int]:
    """A stream id as what it is, a time and a count."""
    ms, _, count = text.partition("-")
    return int(ms), int(count or 0)


_CREDIT = (
    update(schema.balance)
    .where(
        schema.balance.c.shopper_id == bindparam("b_shopper"), schema.balance.c.firm_id == bindparam("b_firm")
    )
    .values(points=schema.balance.c.points + bindparam("b_points"))
)
_END_MESSAGE = (
    update(schema.message)
    .where(schema.message.c.id == bindparam("b_id"), schema.message.c.state == literal_column("'queued'"))
    .values(
        state=bindparam("b_state"),
        smsc_id=bindparam("b_smsc"),
        attempts=bindparam("b_attempts"),
        error=bindparam("b_error"),
        ended_at=bindparam("b_ended"),
        sealed=null(),
    )
)
_RECEIPT = (
    update(schema.message)
    .where(
        schema.message.c.smsc_id == bindparam("b_smsc"),
        schema.message.c.link == bindparam("b_link"),
        # SMSCs use their ids again: what has its receipt keeps it.
        schema.message.c.state == literal_column("'accepted'"),
    )
    .values(state=bindparam("b_state"), error=bindparam("b_error"), ended_at=bindparam("b_ended"))
)


def _many(
    connection: Connection, name: str, build: Callable[[], Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute a statement for many rows that have the same columns.

    The statement is compiled once, and the rows go to the driver as they are: SQLAlchemy's own executemany
    looks at each value of each row, which costs more than the database does.
    """
    columns = tuple(rows[0])
    key = (name, columns, connection.dialect.name)
    compiled = _COMPILED.get(key)
    if compiled is None:
        compiled = _COMPILED[key] = build().compile(dialect=connection.dialect, column_keys=columns)
    order = compiled.positiontup
    if order is None:
        connection.exec_driver_sql(compiled.string, [dict(row) for row in rows])
    else:
        connection.exec_driver_sql(compiled.string, [tuple([row[c] for c in order]) for row in rows])


_COMPILED: dict[tuple[str, tuple[str, ...], str], Any] = {}


def _chunks(items: Sequence[Any]) -> Iterable[list[Any]]:
    return ([*items[i : i + _CHUNK]] for i in range(0, len(items), _CHUNK))
