"""What became of a blast's calls, and of the people who were called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, TextClause, and_, distinct, func, or_, select

from gateway.domain.offers.blast import Fate
from gateway.domain.offers.offer_call import CallState, Outcome
from gateway.store.offers.blasts import Blast
from gateway.store.sql import schema

# Of people who are not called any more; told beside those whom fan-out has ended so.
_Condition = ColumnElement[bool] | TextClause
_NOT_CALLED = (Outcome.DENIED, Outcome.CANCELLED, Outcome.EXPIRED)


class Calls(NamedTuple):
    """Counts of people. `waiting`: for their first call, or the next; `calling`: it rings, or they talk.

    `by_outcome`: of those who are not called any more, what came of the last call. `deferred`: until later,
    by the law's or the caps' reason. `denied`: by reason. `cancelled`, `not_reached`: were never called when
    the blast was over. `talked_s`: of all calls together, seconds; `talked`: how many people that were.
    """

    waiting: int
    calling: int
    by_outcome: Mapping[str, int]
    deferred: Mapping[str, int]
    denied: Mapping[str, int]
    cancelled: int
    not_reached: int
    talked_s: int
    talked: int


class UnknownCall(NamedTuple):
    """Somebody of whom nobody knows whether they were called. `at`: of the attempt, ms since 1970."""

    shopper_id: int
    at: int


def calls(connection: Connection, blast_id: int) -> Calls:
    """As they stand now."""
    c = schema.offer_call
    counted = select(c.c.state, c.c.outcome, func.count()).where(c.c.blast_id == blast_id)
    rows = connection.execute(counted.group_by(c.c.state, c.c.outcome)).all()
    ended = {outcome or "": n for state, outcome, n in rows if state == CallState.ENDED.value}
    deferred = _by_reason(connection, blast_id, schema.WAITING, c.c.reason.is_not(None))
    talked, talked_s = _talked(connection, blast_id)
    waiting = sum(n for state, _, n in rows if state == CallState.WAITING.value)
    return Calls(
        waiting=max(0, waiting - sum(deferred.values())),
        calling=sum(n for state, _, n in rows if state == CallState.CALLING.value),
        by_outcome={outcome: n for outcome, n in ended.items() if outcome not in _NOT_CALLED},
        deferred=deferred,
        denied=_by_reason(connection, blast_id, _ended(Outcome.DENIED)),
        cancelled=ended.get(Outcome.CANCELLED, 0),
        not_reached=ended.get(Outcome.EXPIRED, 0),
        talked_s=talked_s,
        talked=talked,
    )


def unknown_calls(engine: Engine, blast: Blast, *, after: int, most: int) -> list[UnknownCall]:
    """Those behind the shopper id `after` (0 for the first), in the order of their ids."""
    c, r = schema.offer_call, schema.offer_call_record
    last = (
        select(func.max(r.c.begun_at))
        .where(r.c.shopper_id == c.c.shopper_id, r.c.blast_id == blast.id)
        .scalar_subquery()
    )
    query = (
        select(c.c.shopper_id, func.coalesce(last, c.c.ended_at, 0))
        .where(c.c.blast_id == blast.id, _ended(Outcome.UNKNOWN), c.c.shopper_id > after)
        .order_by(c.c.shopper_id)
        .limit(most)
    )
    with engine.connect() as connection:
        return [UnknownCall(*row) for row in connection.execute(query)]


def called(connection: Connection, blast_id: int) -> int:
    """How many people were called at all."""
    c = schema.offer_call
    query = select(func.count()).where(c.c.blast_id == blast_id, c.c.calls > 0)
    return int(connection.scalar(query) or 0)


def opted_out(connection: Connection, blast: Blast) -> int:
    """How many withdrew their consent in a call, or after one."""
    e, r = schema.consent_entry, schema.offer_call_record
    query = (
        select(func.count(distinct(e.c.shopper_id)))
        .select_from(e)
        .join(r, and_(r.c.blast_id == blast.id, r.c.shopper_id == e.c.shopper_id))
        .where(e.c.firm_id == blast.firm_id, e.c.state == "withdrawn", r.c.begun_at <= e.c.said_at)
    )
    return int(connection.scalar(query) or 0)


def activated(connection: Connection, blast: Blast) -> dict[str, int]:
    """Who activated a code after their first call, or after the launch where they were held out.

    Whoever was called counts, not whoever answered: those who take calls are not like those held out.
    """
    a, r, o = schema.activation, schema.blast_recipient, schema.offer_call_record
    first = (
        select(o.c.shopper_id, func.min(o.c.begun_at).label("at"))
        .where(o.c.blast_id == blast.id)
        .group_by(o.c.shopper_id)
        .subquery()
    )
    afterwards = or_(r.c.state == Fate.HELD.value, first.c.at <= a.c.claimed_at)
    query = (
        select(r.c.state, func.count(distinct(a.c.shopper_id)))
        .select_from(a)
        .join(r, and_(r.c.blast_id == blast.id, r.c.shopper_id == a.c.shopper_id))
        .outerjoin(first, first.c.shopper_id == a.c.shopper_id)
        .where(a.c.id > blast.last_activation, a.c.firm_id == blast.firm_id, afterwards)
        .group_by(r.c.state)
    )
    return {str(state): int(n) for state, n in connection.execute(query)}


def _by_reason(connection: Connection, blast_id: int, *which: _Condition) -> dict[str, int]:
    c = schema.offer_call
    query = select(c.c.reason, func.count()).where(c.c.blast_id == blast_id, *which).group_by(c.c.reason)
    return {reason or "": n for reason, n in connection.execute(query)}


def _ended(outcome: Outcome) -> ColumnElement[bool]:
    c = schema.offer_call
    return and_(c.c.state == CallState.ENDED.value, c.c.outcome == outcome.value)


def _talked(connection: Connection, blast_id: int) -> tuple[int, int]:
    """How many people have talked, and for how many seconds all together."""
    r = schema.offer_call_record
    seconds, people = func.sum(r.c.ended_at - r.c.answered_at), func.count(distinct(r.c.shopper_id))
    query = select(people, seconds).where(r.c.blast_id == blast_id, r.c.answered_at.is_not(None))
    count, ms = connection.execute(query).one()
    return int(count), int(ms or 0) // 1000
