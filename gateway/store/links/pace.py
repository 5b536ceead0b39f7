"""Segments a second of an operator's account, shared by all links and processes that use it."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.store.redis import keys
from gateway.store.redis.functions import script

# Some SMSCs count in windows shorter than a second, so a rest must not be made up for by a long burst.
_BURST_S = 0.1


class AccountPace:
    """`rate`: segments a second, a tenth of a second's worth at once."""

    def __init__(self, redis: Redis, account: str, rate: float) -> None:
        self._key = keys.pace(account)
        self._rate = rate
        self._burst = max(1.0, rate * _BURST_S)
        self._grant = redis.register_script(script("grant"))

    async def grant(self, wanted: int) -> tuple[int, float]:
        """So many may be submitted now, and if none, the seconds until one may. Raises RedisError."""
        most = min(wanted, int(self._burst))
        granted, wait_us = await self._grant(keys=[self._key], args=[self._rate, self._burst, most])
        return int(granted), int(wait_us) / 1e6
