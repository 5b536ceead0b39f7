"""How many callers whom nobody knows are let in an hour, over all processes and lines.

A caller's number can be forged, and each new one makes a shopper, takes an alias and is sent an SMS.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from config.outage import Outage
from gateway.store.redis import keys


class Newcomers:
    """`per_hour`: from the first one on."""

    def __init__(self, redis: Redis, per_hour: int) -> None:
        self._redis = redis
        self._per_hour = per_hour
        self._too_many = Outage("more callers whom nobody knows than ivr.new_callers_per_hour")

    async def admit(self) -> bool:
        """Count one; whether it may come in. Raises RedisError."""
        pipe: Any = self._redis.pipeline(transaction=True)
        pipe.incr(keys.NEWCOMERS)
        pipe.expire(keys.NEWCOMERS, keys.NEWCOMERS_WINDOW, nx=True)
        count, _ = await pipe.execute()
        if count > self._per_hour:
            self._too_many.on("refused")
            return False
        self._too_many.over()
        return True
