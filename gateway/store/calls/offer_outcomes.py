"""What came of offer calls, as SQL keeps it: filed once, by the dialer that has begun them or by another one.

Whatever a killed dialer has begun may have rung: it ends as unknown and is never made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, select, update

from gateway.domain.offers.offer_call import CallState, Next, Outcome
from gateway.store.sql import database, schema

_RECOVERED_AT_ONCE: Final = 500
_C, _R = schema.offer_call, schema.offer_call_record


class Ended(NamedTuple):
    """A call that is over. `outcome`: None: Asterisk was never asked for it, and all is as it was before.

    `then`: what that leads to. Times in ms since 1970; `cause`: ITU-T Q.850. `sip`: the last status of the
    trunk, for the log alone.
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
    sip: int | None = None


def end(engine: Engine, ended: Sequence[Ended]) -> int:
    """File what came of calls; how many had no end yet. May be repeated."""
    with database.writing(engine) as connection:
        return len(_end(connection, ended))


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
        with database.writing(engine) as connection:
            left = connection.execute(some).all()
            lost = Next(due_at=None)
            ended += _end(connection, [Ended(*row, Outcome.UNKNOWN, lost, now) for row in left])
        if len(left) < _RECOVERED_AT_ONCE:
            return ended


def _end(connection: Connection, ended: Sequence[Ended]) -> list[str]:
    """The ids of those that had no end yet."""
    ids = [one.id for one in ended]
    open_ = set(connection.scalars(select(_R.c.id).where(_R.c.id.in_(ids), schema.UNENDED).with_for_update()))
    ours = list({one.id: one for one in ended if one.id in open_}.values())
    made = [one for one in ours if one.outcome is not None]
    never = [one for one in ours if one.outcome is None]
    again = [one for one in made if one.then.due_at is not None]
    over = [one for one in made if one.then.due_at is None]
    for statement, rows in (
        (_RECORD_ENDED, [_told(one) for one in made]),
        (_CONTACT_MADE, [{"b_id": one.id, "b_state": one.outcome} for one in made]),
        (_AGAIN, [_then(one) | {"b_due": one.then.due_at} for one in again]),
        (_OVER, [_then(one) | {"b_ended": one.ended_at} for one in over]),
        (_RECORD_GONE, [{"b_id": one.id} for one in never]),
        (_CONTACT_GONE, [{"b_id": one.id} for one in never]),
        (_AS_BEFORE, [_whose(one) | {"b_due": one.ended_at} for one in never]),
    ):
        if rows:
            connection.execute(statement, rows)
    return [one.id for one in ours]


def _told(ended: Ended) -> dict[str, Any]:
    return {
        "b_id": ended.id,
        "b_outcome": ended.outcome,
        "b_answered": ended.answered_at,
        "b_ended": ended.ended_at,
        "b_cause": ended.cause,
        "b_by": ended.answered_by,
        "b_keys": ended.keys,
    }


def _then(ended: Ended) -> dict[str, Any]:
    """What the person's row becomes."""
    return _whose(ended) | {"b_outcome": ended.outcome, "b_counts": int(ended.then.counts)}


def _whose(ended: Ended) -> dict[str, Any]:
    return {"b_blast": ended.blast_id, "b_shopper": ended.shopper_id}


_IS_CALLED = update(_C).where(
    _C.c.blast_id == bindparam("b_blast"), _C.c.shopper_id == bindparam("b_shopper"), schema.CALLING
)
_AS_BEFORE = _IS_CALLED.values(state=CallState.WAITING.value, calls=_C.c.calls - 1, due_at=bindparam("b_due"))
_MADE = _IS_CALLED.values(
    outcome=bindparam("b_outcome"), reason=None, attempts=_C.c.attempts + bindparam("b_counts")
)
_AGAIN = _MADE.values(state=CallState.WAITING.value, due_at=bindparam("b_due"))
_OVER = _MADE.values(state=CallState.ENDED.value, ended_at=bindparam("b_ended"))

_OF_CALL = _R.c.id == bindparam("b_id")
_RECORD_GONE = delete(_R).where(_OF_CALL)
_RECORD_ENDED = (
    update(_R)
    .where(_OF_CALL)
    .values(
        outcome=bindparam("b_outcome"),
        answered_at=bindparam("b_answered"),
        ended_at=bindparam("b_ended"),
        cause=bindparam("b_cause"),
        answered_by=bindparam("b_by"),
        keys=bindparam("b_keys"),
    )
)

_CONTACT = schema.contact.c.id == bindparam("b_id")
_CONTACT_GONE = delete(schema.contact).where(_CONTACT)
_CONTACT_MADE = update(schema.contact).where(_CONTACT).values(state=bindparam("b_state"))
