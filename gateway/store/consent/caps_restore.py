"""Persons' contacts of the last week in Redis, put back from SQL after a loss."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis import Redis

from gateway.domain.consent.word import Channel
from gateway.store.redis import keys
from gateway.store.redis.functions import script

WEEK_S = 7 * 86_400
_SECOND = struct.Struct(">I")


class Charged(NamedTuple):
    """A contact that counts. `at`: s since 1970 by the gate's clock; `tag`: of gateway.domain.policy.caps."""

    shopper: str
    channel: Channel
    at: int
    tag: bytes


class Caps:
    """`offset_s`: added to Redis' clock, in tests and drills only."""

    def __init__(self, redis: Redis, offset_s: int = 0) -> None:
        self._offset_s = offset_s
        self._put_back = redis.register_script(script("put_back_contacts"))

    def put_back(self, charged: Sequence[Charged]) -> int:
        """Those of the last week that do not stand; how many. May be repeated. Raises RedisError."""
        if not charged:
            return 0
        names = [keys.contacts(one.channel, one.shopper) for one in charged]
        rows = [_SECOND.pack(one.at) + one.tag for one in charged]
        put: Any = self._put_back(keys=names, args=[self._offset_s, WEEK_S, *rows])
        return int(put)
