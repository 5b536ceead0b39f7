"""What became of answers, and of the parts of long ones, as SQL keeps it."""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    bindparam,
    exists,
    func,
    literal_column,
    null,
    select,
    update,
)

from gateway.store.sql import schema
from gateway.store.sql.statements import Many, as_it_is, execute_many, found, insert_missing
from gateway.store.texts.receipts import FiledReceipt


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


def known_messages(connection: Connection, ids: Sequence[str]) -> dict[str, Known]:
    """Those of these answers that stand in the ledger already."""
    return {
        id_: Known(state, sealed)
        for id_, state, sealed in found(connection, "known messages", _known_messages, ids, {})
    }


def end_messages(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """File what became of answers: `b_id`, `b_state`, `b_link`, `b_smsc`, `b_attempts`, `b_error`, `b_ended`,
    `b_accepted` (when the SMSC took it, or None).

    An answer that has ended stays as it is: an outcome that is filed again must not undo a receipt.
    """
    if not outcomes:
        return
    execute_many(connection, "end message", lambda: _END_MESSAGE, outcomes)


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
            for found in found(connection, name, build, normal_ids)
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
            execute_many(connection, name, functools.partial(as_it_is, statement), rows)


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
