"""The words of consent in Redis, for changes that come by no text: page, API, call, import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.domain.consent import IN_ORDER, Channel, Consent, Said, read_word
from gateway.store import keys
from gateway.store.claims import script
from gateway.store.durable import DurableRedis

_WORDS = {Consent.GIVEN: "in", Consent.WITHDRAWN: "out"}


class Put(NamedTuple):
    """A word to be put in place. `shopper`: the vault's index; `at`: ms since 1970."""

    shopper: str
    channels: tuple[Channel, ...]
    consent: Consent
    at: int


class ConsentWords:
    """All calls raise RedisError; what they put is on disk when they return, and in force everywhere."""

    def __init__(self, redis: DurableRedis) -> None:
        self._redis = redis

    async def now(self) -> int:
        """Redis' clock, by which texts are dated, too; ms since 1970."""
        seconds, micros = await self._redis.redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def read(self, firm_id: int, shopper: str) -> dict[Channel, Said]:
        """How a shopper stands to a firm."""
        return (await self.read_many(firm_id, [shopper]))[0]

    async def read_many(self, firm_id: int, shoppers: Sequence[str]) -> list[dict[Channel, Said]]:
        """How each of the shoppers stands to a firm."""
        if not shoppers:
            return []
        words: Any = await self._redis.redis.mget([keys.consent(firm_id, key) for key in shoppers])
        return [read_word(word.decode() if word else "") for word in words]

    async def put(self, firm_id: int, puts: Sequence[Put]) -> list[dict[Channel, Said]]:
        """Put words of one firm in place, each unless a later one stands. How each shopper stands then."""
        if not puts:
            return []
        names = [keys.consent(firm_id, put.shopper) for put in puts]
        args: list[Any] = []
        for put in puts:
            channels = "all" if set(put.channels) == set(IN_ORDER) else put.channels[0]
            args += (_WORDS[put.consent], put.at, channels)
        raw = await self._redis.call("EVAL", script("consent"), len(names), *names, *args)
        return [read_word(word.decode()) for word in raw]
