"""How many questions about persons a firm may ask in an hour: enough for persons, too few for a list."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from gateway.store.redis import keys


class Inquiries:
    """`per_hour`: of a firm, over all its keys and all processes."""

    def __init__(self, redis: Redis, per_hour: int) -> None:
        self._redis = redis
        self._per_hour = per_hour

    async def ask(self, firm: int) -> int:
        """Count one; 0, or the seconds until the firm may ask again. Raises RedisError."""
        name = keys.inquiries(firm)
        pipe: Any = self._redis.pipeline(transaction=True)
        pipe.incr(name)
        pipe.expire(name, keys.INQUIRIES_WINDOW, nx=True)
        pipe.ttl(name)
        count, _, left_s = await pipe.execute()
        return max(1, int(left_s)) if int(count) > self._per_hour else 0
