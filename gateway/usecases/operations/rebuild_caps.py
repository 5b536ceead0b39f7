"""Restores from SQL what a lost Redis knew of persons' caps: the contacts of the last week, of all firms.

What was charged and not noted (its process was killed in between) is not known any more.
"""

from __future__ import annotations

from redis import Redis
from sqlalchemy import Engine

from gateway.domain.consent.word import Channel
from gateway.domain.policy.caps import WEEK_MS, contact_name, contact_tag
from gateway.store.consent import contact_log
from gateway.store.consent.caps_restore import Caps, Charged
from gateway.store.redis.clock import now_of


def rebuild_caps(engine: Engine, redis: Redis, offset_s: int = 0) -> int:
    """How many contacts were put back. May be repeated, and while marketing leaves: what stands stays.

    `offset_s`: of the clock that decides over marketing. Raises RedisError, SQLAlchemyError.
    """
    caps = Caps(redis, offset_s)
    put = 0
    with engine.connect() as connection:
        for rows in contact_log.decided_since(connection, now_of(redis, offset_s) - WEEK_MS):
            put += caps.put_back([_charged(*row) for row in rows])
    return put


def _charged(shopper: str, blast: str, channel: str, decided_at: int) -> Charged:
    tag = contact_tag(contact_name(blast, shopper))
    return Charged(shopper, Channel(channel), decided_at // 1000, tag)
