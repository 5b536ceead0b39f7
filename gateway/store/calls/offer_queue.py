"""Offer calls in SQL, which is the queue that dialers take them from.

A call is begun here, on disk, before Asterisk is asked for it; gateway.store.calls.offer_outcomes ends it. Of
two dialers that begin the same call one does: who is not waiting any more, or was called since, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from gateway.domain.consent.word import Channel
from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import CallPlan, CallState, Outcome
from gateway.domain.policy.basis import Basis
from gateway.store.consent import contact_log
from gateway.store.consent.contact_log import Made
from gateway.store.sql import database, schema

MADE_NOW: Final = "calling"  # the state of a contact whose call has no end yet
_Place = tuple[int, int]  # blast and shopper
_C, _B = schema.offer_call, schema.blast


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
    with database.writing(engine) as connection:
        free = _waiting(connection, [*(one.due for one in begun), *(one.due for one in not_called)])
        _file(connection, [one for one in not_called if _place(one.due) in free], now)
        ours = [one for one in begun if _place(one.due) in free]
        if ours:
            connection.execute(_CALL, [_named(one.due) for one in ours])
            connection.execute(insert(schema.offer_call_record), [_record(dialer, one, now) for one in ours])
            contact_log.note(connection, [_contact(one, now) for one in ours])
    return {one.id for one in ours}


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


_PERSON = (_C.c.blast_id == bindparam("b_blast"), _C.c.shopper_id == bindparam("b_shopper"))
_WAITS = update(_C).where(*_PERSON, schema.WAITING)

_CALL = _WAITS.values(state=CallState.CALLING.value, calls=_C.c.calls + 1, reason=None)
_PUT_OFF = _WAITS.values(due_at=bindparam("b_due"), reason=bindparam("b_reason"))
_NOT_CALLED = _WAITS.values(
    state=CallState.ENDED.value,
    outcome=bindparam("b_outcome"),
    reason=bindparam("b_reason"),
    ended_at=bindparam("b_ended"),
)
