"""The ledger's writes: each inserts only what is not there yet, so that a batch may be settled twice."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Connection,
    String,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.sql import schema
from gateway.store.texts.receipts import FiledReceipt

_SIZES = (1, 4, 16, 64, 256)  # of the lists in a statement
_CHUNK = _SIZES[-1]
Many = Sequence[BindParameter[Any]]
NEVER = "0-0"  # the id of a stream's entry before its first


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


class Marks(NamedTuple):
    """What a firm's Redis must hold: streams up to these ids, and so many changes of consent by no text."""

    outbox_id: str = NEVER
    results_id: str = NEVER
    changes: int = 0


class Known(NamedTuple):
    """An answer that stands already. `sealed`: number and text, until its outcome is known."""

    state: str
    sealed: bytes | None


class Receipted(NamedTuple):
    """An answer that an SMSC has taken, or one part of it. `part`: from 1, or 0 for an answer of one part.

    `accepted_at`: ms since 1970; where that is not known, of its last change.
    """

    message_id: str
    smsc_id: str
    shopper: str
    state: str
    accepted_at: int
    link: str
    part: int = 0


def standing(connection: Connection, firm_id: int, shoppers: Sequence[str]) -> dict[str, Standing]:
    """Those of the shopper keys that are known."""
    known: dict[str, Standing] = {}
    rows = _found(connection, "standing", _standing, shoppers, {"b_firm": firm_id})
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
        for serial, shopper, message, at, points in _found(
            connection, "activated", _activated, serials, {"b_space": space}
        )
    }


def insert_missing(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that breaks a unique key stands already and is left as it is."""
    if rows:
        _many(
            connection,
            f"missing {table.name}",
            lambda: _dialect(connection).insert(table).on_conflict_do_nothing(),
            rows,
        )


def _dialect(connection: Connection) -> Any:
    """Both have the same words for an insert that meets a row."""
    return postgresql if connection.dialect.name == "postgresql" else sqlite


def insert_all(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that ought to be new. Raises IntegrityError where one is not."""
    if rows:
        _many(connection, f"new {table.name}", lambda: insert(table), rows)


def credit(connection: Connection, firm_id: int, deltas: Mapping[int, int]) -> None:
    """Add points to the balances of shoppers; rows that are missing are made."""
    if deltas:
        rows = [{"shopper_id": s, "firm_id": firm_id, "points": d} for s, d in sorted(deltas.items())]
        _many(connection, "credit", lambda: _credit(connection), rows)


def _credit(connection: Connection) -> Any:
    added = _dialect(connection).insert(schema.balance)
    return added.on_conflict_do_update(
        index_elements=["shopper_id", "firm_id"],
        set_={"points": schema.balance.c.points + added.excluded.points},
    )


def known_messages(connection: Connection, ids: Sequence[str]) -> dict[str, Known]:
    """Those of these answers that stand in the ledger already."""
    return {
        id_: Known(state, sealed)
        for id_, state, sealed in _found(connection, "known messages", _known_messages, ids, {})
    }


def end_messages(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """File what became of answers: `b_id`, `b_state`, `b_link`, `b_smsc`, `b_attempts`, `b_error`, `b_ended`,
    `b_accepted` (when the SMSC took it, or None).

    An answer that has ended stays as it is: an outcome that is filed again must not undo a receipt.
    """
    if not outcomes:
        return
    _many(connection, "end message", lambda: _END_MESSAGE, outcomes)


def keep_languages(connection: Connection, told: Sequence[Mapping[str, Any]]) -> None:
    """Keep `b_language` of the shopper `b_shopper`, told at `b_at` (ms), unless a later one stands."""
    if told:
        _many(connection, "language", lambda: _KEEP_LANGUAGE, told)


def insert_parts(connection: Connection, parts: Sequence[Mapping[str, Any]]) -> None:
    """File the parts of long answers, as rows of `message_part`; those of no known answer are not kept."""
    if parts:
        known = known_messages(connection, sorted({part["message_id"] for part in parts}))
        kept = [part for part in parts if part["message_id"] in known]
        insert_missing(connection, schema.message_part, kept)


def receipted(connection: Connection, links: Collection[str], normal_ids: Sequence[str]) -> list[Receipted]:
    """Answers, and parts of long ones, that the SMSC of these links knows by ids of these normal forms."""
    parts, rows = (
        [
            row
            for found in _found(connection, name, build, normal_ids)
            if (row := Receipted(*found)).link in links
        ]
        for name, build in (("receipted parts", _receipted_parts), ("receipted", _receipted))
    )
    long = {row.message_id for row in parts}
    return parts + [row for row in rows if row.message_id not in long]


def note_receipts(connection: Connection, receipts: Sequence[tuple[FiledReceipt, Receipted]]) -> None:
    """File delivery receipts, each with what it is for; what has a receipt keeps it.

    A long answer is delivered when all its parts are, and has failed or expired when one has.
    """
    whole, parts, all_there = [], [], []
    for receipt, answer in receipts:
        row = {"b_id": answer.message_id, "b_state": receipt.state, "b_ended": receipt.at}
        if answer.part:
            parts.append({**row, "b_part": answer.part})
        if answer.part and receipt.state == "delivered":
            all_there.append({**row, "b_parts_of": answer.message_id})
        else:
            whole.append({**row, "b_error": receipt.error})
    all_there.sort(key=operator.itemgetter("b_ended"), reverse=True)  # it is there with its last part
    for name, statement, rows in (
        ("part's receipt", _PART_RECEIPT, parts),
        ("receipt", _RECEIPT, whole),
        ("all parts", _ALL_PARTS, all_there),
    ):
        if rows:
            _many(connection, name, functools.partial(_as_it_is, statement), rows)


def _as_it_is(statement: Any) -> Any:
    return statement


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
    if _execute(connection, "watermark", lambda: _WATERMARK, {"b_firm": firm_id, "b_id": outbox_id}).rowcount:
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
_END_MESSAGE = (
    update(schema.message)
    .where(schema.message.c.id == bindparam("b_id"), schema.message.c.state == literal_column("'queued'"))
    .values(
        state=bindparam("b_state"),
        link=bindparam("b_link"),  # by which it left in the end: its receipts come there
        smsc_id=bindparam("b_smsc"),
        attempts=bindparam("b_attempts"),
        error=bindparam("b_error"),
        accepted_at=bindparam("b_accepted"),
        ended_at=bindparam("b_ended"),
        sealed=null(),
    )
)
_RECEIPT = (
    update(schema.message)
    .where(
        schema.message.c.id == bindparam("b_id"),
        schema.message.c.state == literal_column("'accepted'"),
    )
    .values(state=bindparam("b_state"), error=bindparam("b_error"), ended_at=bindparam("b_ended"))
)
_PART_RECEIPT = (
    update(schema.message_part)
    .where(
        schema.message_part.c.message_id == bindparam("b_id"),
        schema.message_part.c.part == bindparam("b_part"),
        schema.message_part.c.state == literal_column("'accepted'"),
    )
    .values(state=bindparam("b_state"), ended_at=bindparam("b_ended"))
)
_ALL_PARTS = (
    update(schema.message)
    .where(
        schema.message.c.id == bindparam("b_id"),
        schema.message.c.state == literal_column("'accepted'"),
        ~exists(literal_column("1"))
        .where(
            schema.message_part.c.message_id == bindparam("b_parts_of"),
            schema.message_part.c.state != literal_column("'delivered'"),
        )
        .correlate(None),
    )
    .values(state=bindparam("b_state"), ended_at=bindparam("b_ended"))
)


_KEEP_LANGUAGE = (
    update(schema.shopper)
    .where(
        schema.shopper.c.id == bindparam("b_shopper"),
        schema.shopper.c.language_at.is_(None) | (schema.shopper.c.language_at <= bindparam("b_at")),
    )
    .values(language=bindparam("b_language"), language_at=bindparam("b_at"))
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


def _known_messages(many: Many) -> Any:
    t = schema.message
    return select(t.c.id, t.c.state, t.c.sealed).where(t.c.id.in_(many))


def _receipted(many: Many) -> Any:
    t, s = schema.message, schema.shopper
    accepted_at = func.coalesce(t.c.accepted_at, t.c.ended_at, t.c.queued_at)
    columns = (t.c.id, t.c.smsc_id, s.c.key, t.c.state, accepted_at, t.c.link)
    joined = select(*columns).join_from(t, s, t.c.shopper_id == s.c.id)
    return joined.where(schema.normal_id(t.c.smsc_id).in_(many))


def _receipted_parts(many: Many) -> Any:
    p, t, s = schema.message_part, schema.message, schema.shopper
    columns = (p.c.message_id, p.c.smsc_id, s.c.key, p.c.state, p.c.accepted_at, p.c.link, p.c.part)
    joined = select(*columns).join_from(p, t, p.c.message_id == t.c.id).join(s, t.c.shopper_id == s.c.id)
    return joined.where(schema.normal_id(p.c.smsc_id).in_(many))


# The statements below are compiled once, and their values go to the driver as they are: for a small batch
# SQLAlchemy's own way from a statement to the database costs more than the database does.


def _found(
    connection: Connection,
    name: str,
    build: Callable[[Many], Any],
    values: Sequence[Any],
    fixed: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Any]:
    """The rows of a select by many values. Its compiled forms are few: the last value is repeated."""
    for at in range(0, len(values), _CHUNK):
        chunk = values[at : at + _CHUNK]
        size = next(size for size in _SIZES if size >= len(chunk))
        filled = [*chunk, *[chunk[-1]] * (size - len(chunk))]
        names = [f"v{i}" for i in range(size)]
        params = dict(zip(names, filled, strict=True), **fixed)
        statement = functools.partial(_with_many, build, names)
        yield from _execute(connection, f"{name} {size}", statement, params)


def _with_many(build: Callable[[Many], Any], names: Sequence[str]) -> Any:
    return build([bindparam(name) for name in names])


def _execute(connection: Connection, name: str, build: Callable[[], Any], params: Mapping[str, Any]) -> Any:
    """Execute a statement with one set of values."""
    text, order = _compiled(connection, name, build, tuple(params))
    return connection.exec_driver_sql(
        text, dict(params) if order is None else tuple([params[c] for c in order])
    )


def _many(
    connection: Connection, name: str, build: Callable[[], Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute a statement for many rows that have the same columns."""
    text, order = _compiled(connection, name, build, tuple(rows[0]))
    if order is None:
        connection.exec_driver_sql(text, [dict(row) for row in rows])
    else:
        connection.exec_driver_sql(text, [tuple([row[c] for c in order]) for row in rows])


def _compiled(
    connection: Connection, name: str, build: Callable[[], Any], columns: tuple[str, ...]
) -> tuple[str, Sequence[str] | None]:
    """The text of a statement and the order of its values; None where the driver takes them by name."""
    key = (name, columns, connection.dialect.name)
    known = _COMPILED.get(key)
    if known is None:
        made = build().compile(dialect=connection.dialect, column_keys=columns)
        known = _COMPILED[key] = made.string, made.positiontup
    return known


_COMPILED: dict[tuple[str, tuple[str, ...], str], tuple[str, Sequence[str] | None]] = {}
