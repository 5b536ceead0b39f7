"""How far a firm's streams are in SQL, and whose turn it is to settle the firm."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    Connection,
    String,
    bindparam,
    func,
    select,
    update,
)

from gateway.store.sql import schema
from gateway.store.sql.statements import execute, insert_missing

NEVER = "0-0"  # the id of a stream's entry before its first


class Marks(NamedTuple):
    """What a firm's Redis must hold: streams up to these ids, and so many changes of consent by no text."""

    outbox_id: str = NEVER
    results_id: str = NEVER
    changes: int = 0


def take_turn(connection: Connection, firm_id: int) -> None:
    """Until the transaction ends nobody else settles this firm: the balance that is read is the one told.

    SQLite's write transactions go one after the other anyway.
    """
    if connection.dialect.name == "sqlite":
        return
    t = schema.settled
    insert_missing(connection, t, [{"firm_id": firm_id, "outbox_id": NEVER}])
    connection.execute(select(t.c.outbox_id).where(t.c.firm_id == firm_id).with_for_update())


def set_watermark(connection: Connection, firm_id: int, outbox_id: str) -> None:
    """Note how far a firm's outbox is settled. It never goes back: a batch may be settled late and again."""
    if execute(connection, "watermark", lambda: _WATERMARK, {"b_firm": firm_id, "b_id": outbox_id}).rowcount:
        return
    t = schema.settled
    insert_missing(connection, t, [{"firm_id": firm_id, "outbox_id": NEVER}])
    stands = connection.scalar(select(t.c.outbox_id).where(t.c.firm_id == firm_id).with_for_update())
    if stream_id(outbox_id) > stream_id(stands or NEVER):
        connection.execute(update(t).where(t.c.firm_id == firm_id).values(outbox_id=outbox_id))


def note_changes(connection: Connection, firm_id: int, count: int) -> None:
    """Note how many changes of consent a Redis has counted that holds what is written now; 0 says nothing."""
    if not count:
        return
    t = schema.settled
    insert_missing(connection, t, [{"firm_id": firm_id, "outbox_id": NEVER}])
    connection.execute(update(t).where(t.c.firm_id == firm_id, t.c.changes < count).values(changes=count))


def note_results(connection: Connection, firm_id: int, results_id: str) -> None:
    """Note how far what became of a firm's texts is filed. It never goes back."""
    t = schema.settled
    insert_missing(connection, t, [{"firm_id": firm_id, "outbox_id": NEVER}])
    stands = connection.scalar(select(t.c.results_id).where(t.c.firm_id == firm_id).with_for_update())
    if stream_id(results_id) > stream_id(stands or NEVER):
        connection.execute(update(t).where(t.c.firm_id == firm_id).values(results_id=results_id))


def marks(connection: Connection) -> dict[int, Marks]:
    """By firm; one of which nothing was ever settled has none."""
    t = schema.settled
    query = select(t.c.firm_id, t.c.outbox_id, t.c.results_id, t.c.changes)
    return {row.firm_id: Marks(*row[1:]) for row in connection.execute(query)}


def stream_id(text: str) -> tuple[int, int]:
    """A stream id as what it is, a time and a count."""
    ms, _, count = text.partition("-")
    return int(ms), int(count or 0)


# Ids of one length are ordered as texts are: their times have thirteen digits until the year 2286. Where the
# lengths differ this finds no row, and `set_watermark` compares the numbers.
_WATERMARK = (
    update(schema.settled)
    .where(
        schema.settled.c.firm_id == bindparam("b_firm"),
        func.length(schema.settled.c.outbox_id) == func.length(bindparam("b_id", type_=String)),
        schema.settled.c.outbox_id < bindparam("b_id"),
    )
    .values(outbox_id=bindparam("b_id"))
)
