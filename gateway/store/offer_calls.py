"""Offer calls in SQL, which is the queue that dialers take them from, and their records.

A call is begun here, on disk, before Asterisk is asked for it, and ended here by what came of it. So whatever
a killed dialer has begun may have rung: it ends as unknown and is never made again. Of two dialers that begin
the same call one does: who is not waiting any more, or was called since, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from gateway.domain.blast import State
from gateway.domain.consent import Channel
from gateway.domain.offer_call import CallPlan, CallState, Next, Outcome
from gateway.domain.policy.basis import Basis
from gateway.store import contacts, schema, sql
from gateway.store.contacts import Made

MADE_NOW: Final = "calling"  # the state of a contact whose call has no end yet
_RECOVERED_AT_ONCE: Final = 500
_Place = tuple[int, int]  # blast and shopper
_C, _R, _B = schema.offer_call, schema.offer_call_record, schema.blast


class Calling(NamedTuple):
    """A blast that calls and runs. `fallback`: the language of whoever has none that it speaks."""

    id: int
    firm_id: int
    short_number: str
    fallback: str
    plan: CallPlan


class Due(NamedTuple):
    """A person whose time has come. `attempts`, `calls`: made so far, counted or not.

    `shopper`: the vault's index of the number; `number`: sealed, empty once they were erased.
    """

    blast_id: int
    firm_id: int
    shopper_id: int
    attempts: int
    calls: int
    shopper: str
    number: bytes
    language: str | None


class Begun(NamedTuple):
    """A call that is to be made. `id`: Asterisk's of it. `basis`: what the gate allowed it on."""

    id: str
    due: Due
    language: str
    basis: Basis


class NotCalled(NamedTuple):
    """Somebody who is not called now: `until` a moment (ms), or not at all, with this outcome."""

    due: Due
    outcome: Outcome | None
    reason: str
    until: int = 0


class Ended(NamedTuple):
    """A call that is over. `outcome`: None: Asterisk was never asked for it, and all is as it was before.

    `then`: what that leads to. Times in ms since 1970; `cause`: ITU-T Q.850.
    """

    id: str
    blast_id: int
    shopper_id: int
    outcome: Outcome | None
    then: Next
    ended_at: int
    answered_at: int | None = None
    cause: int | None = None
    answered_by: str | None = None
    keys: str | None = None


def running(engine: Engine, now: int) -> list[Calling]:
    """The blasts of all firms that call now. `now`: ms since 1970."""
    columns = (_B.c.id, _B.c.firm_id, _B.c.short_number, _B.c.fallback, _B.c.call)
    query = select(*columns).where(
        _B.c.state == State.RUNNING.value, _B.c.channel == Channel.CALL.value, _B.c.expires_at > now
    )
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(_B.c.id)).all()
    return [
        Calling(row.id, row.firm_id, row.short_number, row.fallback, CallPlan.model_validate(row.call))
        for row in rows
    ]


def due(engine: Engine, blast_id: int, now: int, most: int) -> list[Due]:
    """Whom a blast may call at `now` (ms), the longest due first."""
    s = schema.shopper
    query = (
        select(*(_C.c[name] for name in Due._fields[:5]), s.c.key, s.c.number, s.c.language)
        .join(s, s.c.id == _C.c.shopper_id)
        .where(_C.c.blast_id == blast_id, schema.WAITING, _C.c.due_at <= now)
        .order_by(_C.c.due_at)
        .limit(most)
    )
    with engine.connect() as connection:
        return [Due._make(row) for row in connection.execute(query)]


def begin(
    engine: Engine, dialer: str, begun: Sequence[Begun], not_called: Sequence[NotCalled], now: int
) -> set[str]:
    """Begin calls, and file who is not called, in one transaction; the ids of those calls that are ours now.

    `dialer`: by whom; `now`: ms.
    """
    with sql.writing(engine) as connection:
        free = _waiting(connection, [*(one.due for one in begun), *(one.due for one in not_called)])
        _file(connection, [one for one in not_called if _place(one.due) in free], now)
        ours = [one for one in begun if _place(one.due) in free]
        if ours:
            connection.execute(_CALL, [_named(one.due) for one in ours])
            connection.execute(insert(_R), [_record(dialer, one, now) for one in ours])
            contacts.note(connection, [_contact(one, now) for one in ours])
    return {one.id for one in ours}


def end(engine: Engine, ended: Sequence[Ended]) -> int:
    """File what came of calls; how many had no end yet. May be repeated."""
    with sql.writing(engine) as connection:
        return sum(_end(connection, one) for one in ended)


def dialers(engine: Engine) -> list[str]:
    """Those that have calls without an end."""
    with engine.connect() as connection:
        return list(connection.scalars(select(_R.c.dialer).where(schema.UNENDED).distinct()))


def recover(engine: Engine, dialer: str, now: int) -> list[str]:
    """End what a dead dialer has left as unknown; the ids of those calls. `now`: ms."""
    some = (
        select(_R.c.id, _R.c.blast_id, _R.c.shopper_id)
        .where(_R.c.dialer == dialer, schema.UNENDED)
        .limit(_RECOVERED_AT_ONCE)
    )
    ended: list[str] = []
    while True:
        with sql.writing(engine) as connection:
            left = connection.execute(some).all()
            for row in left:
                lost = Ended(*row, outcome=Outcome.UNKNOWN, then=Next(due_at=None), ended_at=now)
                ended += [row.id] if _end(connection, lost) else []
        if len(left) < _RECOVERED_AT_ONCE:
            return ended


def _waiting(connection: Connection, wanted: Sequence[Due]) -> set[_Place]:
    """Those who wait still as they were read, and are no other dialer's while this transaction lasts."""
    calls = {_place(one): one.calls for one in wanted}
    free: set[_Place] = set()
    for blast_id in sorted({one.blast_id for one in wanted}):
        shoppers = sorted(one.shopper_id for one in wanted if one.blast_id == blast_id)
        query = (
            select(_C.c.blast_id, _C.c.shopper_id, _C.c.calls)
            .where(_C.c.blast_id == blast_id, _C.c.shopper_id.in_(shoppers), schema.WAITING)
            .with_for_update(skip_locked=True)
        )
        rows = connection.execute(query).all()
        free.update((b, shopper) for b, shopper, made in rows if calls[b, shopper] == made)
    return free


def _file(connection: Connection, not_called: Sequence[NotCalled], now: int) -> None:
    over = [
        {**_named(one.due), "b_outcome": one.outcome.value, "b_reason": one.reason, "b_ended": now}
        for one in not_called
        if one.outcome is not None
    ]
    off = [
        {**_named(one.due), "b_due": one.until, "b_reason": one.reason}
        for one in not_called
        if one.outcome is None
    ]
    if over:
        connection.execute(_NOT_CALLED, over)
    if off:
        connection.execute(_PUT_OFF, off)


def _end(connection: Connection, ended: Ended) -> bool:
    """False where it had an end already."""
    unended = (_R.c.id == ended.id, schema.UNENDED)
    if ended.outcome is None:
        if not connection.execute(delete(_R).where(*unended)).rowcount:
            return False
        connection.execute(delete(schema.contact).where(schema.contact.c.id == ended.id))
    else:
        if not connection.execute(update(_R).where(*unended).values(_told(ended))).rowcount:
            return False
        stands = {"state": ended.outcome.value}
        connection.execute(update(schema.contact).where(schema.contact.c.id == ended.id).values(stands))
    of_person = (_C.c.blast_id == ended.blast_id, _C.c.shopper_id == ended.shopper_id, schema.CALLING)
    connection.execute(update(_C).where(*of_person).values(_then(ended)))
    return True


def _told(ended: Ended) -> dict[str, Any]:
    return {
        "outcome": ended.outcome.value if ended.outcome else None,
        "answered_at": ended.answered_at,
        "ended_at": ended.ended_at,
        "cause": ended.cause,
        "answered_by": ended.answered_by,
        "keys": ended.keys,
    }


def _then(ended: Ended) -> dict[str, Any]:
    """What the person's row becomes."""
    if ended.outcome is None:
        return {"state": CallState.WAITING.value, "calls": _C.c.calls - 1, "due_at": ended.ended_at}
    values: dict[str, Any] = {
        "outcome": ended.outcome.value,
        "reason": None,
        "attempts": _C.c.attempts + int(ended.then.counts),
    }
    if ended.then.due_at is None:
        return values | {"state": CallState.ENDED.value, "ended_at": ended.ended_at}
    return values | {"state": CallState.WAITING.value, "due_at": ended.then.due_at}


def _record(dialer: str, begun: Begun, now: int) -> dict[str, Any]:
    return {
        "id": begun.id,
        "blast_id": begun.due.blast_id,
        "shopper_id": begun.due.shopper_id,
        "firm_id": begun.due.firm_id,
        "dialer": dialer,
        "begun_at": now,
        "language": begun.language,
    }


def _contact(begun: Begun, now: int) -> Made:
    return Made(begun.id, begun.due.firm_id, MADE_NOW, now, begun.basis)


def _place(due_: Due) -> _Place:
    return due_.blast_id, due_.shopper_id


def _named(due_: Due) -> dict[str, Any]:
    return {"b_blast": due_.blast_id, "b_shopper": due_.shopper_id}


_WHOSE = (_C.c.blast_id == bindparam("b_blast"), _C.c.shopper_id == bindparam("b_shopper"), schema.WAITING)
_CALL = update(_C).where(*_WHOSE).values(state=CallState.CALLING.value, calls=_C.c.calls + 1, reason=None)
_PUT_OFF = update(_C).where(*_WHOSE).values(due_at=bindparam("b_due"), reason=bindparam("b_reason"))
_NOT_CALLED = (
    update(_C)
    .where(*_WHOSE)
    .values(
        state=CallState.ENDED.value,
        outcome=bindparam("b_outcome"),
        reason=bindparam("b_reason"),
        ended_at=bindparam("b_ended"),
    )
)
