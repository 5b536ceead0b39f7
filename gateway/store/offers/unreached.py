"""Those whom a blast has not reached, for the one that follows it, in the order of their ids.

What a page costs is the recipients that it walks past: it begins behind the last one, and never sorts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Select, and_, exists, func, or_, select

from gateway.domain.consent.word import Channel
from gateway.domain.offers.blast import ENDED, Fate
from gateway.domain.offers.cascade import FOLLOW_AFTER_S, NOT_ARRIVED, UNANSWERED
from gateway.domain.offers.offer_call import CallState
from gateway.store.offers import call_list
from gateway.store.offers.audiences import Member
from gateway.store.offers.blasts import Blast
from gateway.store.sql import schema


def page(
    engine: Engine, follower: Blast, followed: Blast, now: int, *, after: int, most: int
) -> list[Member]:
    """The next of those whom `follower` has not taken yet, behind the shopper id `after`. `now`: ms."""
    s, b = schema.shopper, schema.balance
    query = (
        _query(follower, followed, now, s.c.id, s.c.key, s.c.number, s.c.language, s.c.prefix)
        .add_columns(func.coalesce(b.c.points, 0))
        .where(_walked(followed).c.shopper_id > after)
        .order_by(_walked(followed).c.shopper_id)
        .limit(most)
    )
    with engine.connect() as connection:
        return [Member(*row) for row in connection.execute(query)]


def count(engine: Engine, follower: Blast, followed: Blast, now: int) -> int:
    """How many there are so far whom `follower` has not taken yet."""
    with engine.connect() as connection:
        return int(connection.scalar(_query(follower, followed, now, func.count())) or 0)


def is_over(engine: Engine, follower: Blast, followed: Blast, now: int) -> bool:
    """Whether nobody can become unreached any more. Asked before a page is read, it holds for that page."""
    if followed.state not in ENDED:
        return False
    if followed.channel == Channel.CALL:
        return not call_list.unended(engine, followed.id)
    m = schema.message
    open_ = or_(m.c.state == "queued", and_(m.c.state == "accepted", m.c.accepted_at > _since(follower, now)))
    query = select(m.c.id).where(m.c.blast_id == followed.id, open_).limit(1)
    with engine.connect() as connection:
        return connection.scalar(query) is None


def _query(follower: Blast, followed: Blast, now: int, *columns: Any) -> Select[Any]:
    walked, s, b = _walked(followed), schema.shopper, schema.balance
    taken = schema.blast_recipient.alias("taken")
    query = (
        select(*columns)
        .select_from(walked)
        .join(s, s.c.id == walked.c.shopper_id)
        .outerjoin(b, and_(b.c.shopper_id == s.c.id, b.c.firm_id == follower.firm_id))
        .where(walked.c.blast_id == followed.id, s.c.erased_at.is_(None))
        .where(~exists().where(taken.c.blast_id == follower.id, taken.c.shopper_id == walked.c.shopper_id))
    )
    if followed.channel == Channel.CALL:
        # coalesce: the index of outcomes would have each page sort everybody.
        ended = func.coalesce(walked.c.state, "") == CallState.ENDED.value
        return query.where(ended, walked.c.outcome.in_([outcome.value for outcome in UNANSWERED]))
    m = schema.message
    no_receipt = and_(m.c.state == "accepted", m.c.accepted_at <= _since(follower, now))
    return (
        query.join(m, m.c.id == walked.c.message_id)
        .where(walked.c.state == Fate.TEXTED.value)
        .where(or_(m.c.state.in_(NOT_ARRIVED), no_receipt))
    )


def _walked(followed: Blast) -> Any:
    """Where a blast's people stand, by blast and shopper."""
    return schema.offer_call if followed.channel == Channel.CALL else schema.blast_recipient


def _since(follower: Blast, now: int) -> int:
    """What was accepted until then and has no receipt has not arrived, ms. `now`: as messages are noted."""
    return now - (follower.follow_after_s or FOLLOW_AFTER_S) * 1000
