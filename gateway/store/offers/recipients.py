"""The recipients of blasts in SQL: each is drawn once, and has at most one text or call on its way.

A batch is written in one transaction that first moves the blast's counters on from where they were read; of
two processes that do the same batch one finds them moved and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, func, select, true, update

from gateway.domain.offers.blast import Fate, State, Word
from gateway.domain.offers.offer_ids import batch_range, read_offer_id
from gateway.store.offers import blasts, call_list
from gateway.store.offers.audiences import Member
from gateway.store.offers.blasts import Blast
from gateway.store.offers.redis_queue import Offer
from gateway.store.sql import database, schema, statements

KIND = "offer"


class Drawn(NamedTuple):
    """What is to become of a recipient. `reason`: why denied or deferred. `due_at`: ms, of a deferred one.

    `offer`: the text of one that is texted; `segments`: of it.
    """

    shopper_id: int
    fate: Fate
    reason: str | None = None
    due_at: int | None = None
    offer: Offer | None = None
    segments: int = 0


class Batch(NamedTuple):
    """Recipients that are written in one transaction.

    `anew`: they were deferred, not drawn now. `last`: the shopper id behind which the next are drawn.
    `all_drawn`: nobody is left to draw.
    """

    drawn: Sequence[Drawn]
    anew: bool
    last: int
    all_drawn: bool


def due(engine: Engine, blast: Blast, now: int, most: int) -> list[Member]:
    """Deferred recipients whose time has come, the longest due first."""
    return _deferred(engine, blast, schema.blast_recipient.c.due_at <= now, most)


def waits_for_link(blast: Blast, place: int) -> int:
    """The `due_at` of recipients who wait for a link to have room: a time that never comes, one a link.

    `place`: of the link among all. So they are found by the index when there is room, and by nobody before.
    """
    return blast.expires_at + 1 + place


def held_for(engine: Engine, blast: Blast, place: int, most: int) -> list[Member]:
    """Recipients who wait for a link to have room."""
    at = waits_for_link(blast, place)
    return _deferred(engine, blast, schema.blast_recipient.c.due_at == at, most)


def _deferred(engine: Engine, blast: Blast, when: ColumnElement[bool], most: int) -> list[Member]:
    r, s, b = schema.blast_recipient, schema.shopper, schema.balance
    points = func.coalesce(b.c.points, 0)
    query = (
        select(s.c.id, s.c.key, s.c.number, s.c.language, s.c.prefix, points)
        .select_from(r)
        .join(s, s.c.id == r.c.shopper_id)
        .outerjoin(b, (b.c.shopper_id == s.c.id) & (b.c.firm_id == blast.firm_id))
        .where(r.c.blast_id == blast.id, schema.DEFERRED, when)
        .order_by(r.c.due_at)
        .limit(most)
    )
    with engine.connect() as connection:
        return [Member(*row) for row in connection.execute(query)]


def next_due(engine: Engine, blast_id: int) -> int | None:
    """When the next deferred recipient is due, ms; None where nobody is deferred."""
    r = schema.blast_recipient
    query = select(func.min(r.c.due_at)).where(r.c.blast_id == blast_id, schema.DEFERRED)
    with engine.connect() as connection:
        found = connection.scalar(query)
    return None if found is None else int(found)


def write_batch(engine: Engine, blast: Blast, batch: Batch, now: int) -> bool:
    """Write a batch: recipients, and their texts or calls. False if another process has done it.

    `blast`: as it was read before. `now`: ms.
    """
    drawn = batch.drawn
    texted = [d for d in drawn if d.offer is not None]
    to_call = [d.shopper_id for d in drawn if d.fate is Fate.CALLED]
    reached = len(texted) + len(to_call)
    moved: dict[str, Any] = {"texted": blast.texted + reached, "all_drawn": int(batch.all_drawn)}
    if reached:
        moved["batch"] = blast.batch + 1
    if not batch.anew:
        moved |= {"drawn": blast.drawn + len(drawn), "last_shopper": batch.last}
    with database.writing(engine) as connection:
        if not _move_on(connection, blast, moved):
            return False
        if batch.anew:
            _draw_anew(connection, blast, drawn)
        else:
            statements.insert_all(connection, schema.blast_recipient, [_row(blast, d) for d in drawn])
        statements.insert_all(connection, schema.message, [_message(blast, d, now) for d in texted])
        call_list.add(connection, blast, to_call, now)
        if opened := sum(d.fate is not Fate.HELD for d in drawn):
            statements.insert_all(connection, schema.vault_access, [_access(blast, opened, now)])
    return True


def first_waiting(engine: Engine, blast: Blast, put: int) -> int:
    """The first batch behind `put` of which a text waits still; the last that was written if none does."""
    m = schema.message
    first, _ = batch_range(blast.id, put + 1, firm=blast.firm_id)
    _, behind = batch_range(blast.id, blast.batch, firm=blast.firm_id)
    query = select(func.min(m.c.id)).where(
        m.c.blast_id == blast.id, m.c.state == "queued", m.c.id >= first, m.c.id < behind
    )
    with engine.connect() as connection:
        found = connection.scalar(query)
    text = read_offer_id(found) if found else None
    return text.batch if text else blast.batch


def batch_of(engine: Engine, blast: Blast, batch: int) -> list[Offer]:
    """The texts of a batch that wait still, as they were written."""
    m, s = schema.message, schema.shopper
    first, behind = batch_range(blast.id, batch, firm=blast.firm_id)
    columns = (m.c.id, m.c.link, m.c.sealed, m.c.short_number, s.c.key, m.c.queued_at)
    query = (
        select(*columns)
        .join(s, s.c.id == m.c.shopper_id)
        .where(m.c.id >= first, m.c.id < behind, m.c.state == "queued")
    )
    with engine.connect() as connection:
        return [Offer(*row, until=blast.expires_at) for row in connection.execute(query)]


def waiting(engine: Engine, blast_id: int) -> bool:
    """Whether any text of the blast has no outcome yet."""
    m = schema.message
    with engine.connect() as connection:
        query = select(m.c.id).where(m.c.blast_id == blast_id, m.c.state == "queued").limit(1)
        return connection.scalar(query) is not None


def end_deferred(engine: Engine, blast_id: int, fate: Fate, most: int) -> int:
    """Let deferred recipients of a blast that is over end so; how many did, `most` at once."""
    r = schema.blast_recipient
    some = select(r.c.shopper_id).where(r.c.blast_id == blast_id, schema.DEFERRED).limit(most)
    with database.writing(engine) as connection:
        ids = connection.scalars(some).all()
        rows = [{"b_shopper": id_, "b_fate": fate.value} for id_ in ids]
        if rows:
            connection.execute(_END.where(r.c.blast_id == blast_id), rows)
    return len(ids)


def give_up(engine: Engine, firm_id: int, now: int) -> None:
    """Texts of a firm whose queue was lost: whether those that were noted as leaving have left is unknown.

    The others have not: they are put again while their blast goes on, and end with it otherwise. `now`: ms.
    """
    m = schema.message
    with database.writing(engine) as connection:
        _give_up(connection, (m.c.firm_id == firm_id) & (m.c.attempts > 0), now)


def end_blasts(engine: Engine, why: str, now: int) -> None:
    """Cancel what is alive where the ledger is of an earlier time: nobody knows whom it has reached since,
    and which of its texts have left. `now`: ms.
    """
    with database.writing(engine) as connection:
        _give_up(connection, true(), now)
    for blast in blasts.alive(engine):
        with suppress(blasts.NotNow):  # its marketer was faster
            blasts.turn(engine, blast.id, Word.CANCEL, now, why=why)


def _give_up(connection: Connection, which: ColumnElement[bool], now: int) -> None:
    m = schema.message
    lost = (m.c.state == "queued") & m.c.blast_id.is_not(None) & which
    connection.execute(
        update(m).where(lost).values(state="unknown", error="queue lost", sealed=None, ended_at=now)
    )


def _move_on(connection: Connection, blast: Blast, moved: Mapping[str, Any]) -> bool:
    t = schema.blast
    stands = (
        (t.c.id == blast.id)
        & (t.c.state == State.RUNNING.value)
        & (t.c.batch == blast.batch)
        & (t.c.last_shopper == blast.last_shopper)
        & (t.c.drawn == blast.drawn)
        & (t.c.texted == blast.texted)
    )
    return bool(connection.execute(update(t).where(stands).values(dict(moved))).rowcount)


def _draw_anew(connection: Connection, blast: Blast, drawn: Sequence[Drawn]) -> None:
    rows = [
        {
            "b_shopper": d.shopper_id,
            "b_state": d.fate.value,
            "b_reason": d.reason,
            "b_due": d.due_at,
            "b_message": d.offer.message_id if d.offer else None,
        }
        for d in drawn
    ]
    connection.execute(_ANEW.where(schema.blast_recipient.c.blast_id == blast.id), rows)


def _row(blast: Blast, drawn: Drawn) -> dict[str, Any]:
    return {
        "blast_id": blast.id,
        "shopper_id": drawn.shopper_id,
        "state": drawn.fate.value,
        "reason": drawn.reason,
        "due_at": drawn.due_at,
        "message_id": drawn.offer.message_id if drawn.offer else None,
    }


def _message(blast: Blast, drawn: Drawn, now: int) -> dict[str, Any]:
    offer = drawn.offer
    if offer is None:
        raise ValueError("only who is texted has a message")
    return {
        "id": offer.message_id,
        "firm_id": blast.firm_id,
        "shopper_id": drawn.shopper_id,
        "kind": KIND,
        "state": "queued",
        "link": offer.link,
        "short_number": offer.short_number,
        "outcomes": "",
        "sealed": offer.sealed,
        "segments": drawn.segments,
        "attempts": 0,
        "queued_at": now,
        "blast_id": blast.id,
    }


def _access(blast: Blast, opened: int, now: int) -> dict[str, Any]:
    minute = now // 60_000 * 60_000
    return {"process": "blasts", "purpose": f"blast {blast.id}", "opened": opened, "minute_at": minute}


_ANEW = (
    update(schema.blast_recipient)
    .where(schema.blast_recipient.c.shopper_id == bindparam("b_shopper"), schema.DEFERRED)
    .values(
        state=bindparam("b_state"),
        reason=bindparam("b_reason"),
        due_at=bindparam("b_due"),
        message_id=func.coalesce(bindparam("b_message"), schema.blast_recipient.c.message_id),
    )
)
_END = (
    update(schema.blast_recipient)
    .where(schema.blast_recipient.c.shopper_id == bindparam("b_shopper"), schema.DEFERRED)
    .values(state=bindparam("b_fate"), reason=None, due_at=None)
)
