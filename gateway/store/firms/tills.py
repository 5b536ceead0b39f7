"""What a till, which is one API key, asks of aliases: its budgets, which Redis decides, and how it stands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from redis import Redis

from config.settings import AliasSettings
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import script

_HOUR_S, _DAY_S = 3600, 86_400
_TILL = script("till")


class Word(StrEnum):
    """What a till may do: go on, or which of its budgets is spent."""

    GO = "go"
    MINUTE = "minute"
    BUSY = "busy"  # as many lookups are under way as misses are left
    STOPPED = "stopped"


class Permission(NamedTuple):
    """`wait_s`: until the budget is whole again. `newly`: the till was stopped by this very call."""

    word: Word
    wait_s: int
    newly: bool


class Standing(NamedTuple):
    """What stands of a till. Times in seconds since 1970; `last`, `stopped_since`: 0 for never and not."""

    last: int
    misses_hour: int
    misses_day: int
    stopped_since: int


class TillStore:
    """All calls raise RedisError: without Redis nobody is answered."""

    def __init__(self, redis: DurableRedis, limits: AliasSettings) -> None:
        self._redis = redis
        self._limits = (limits.lookups_per_minute, limits.misses_per_hour, limits.misses_per_day)

    async def ask(self, key_id: int) -> Permission:
        """Count a lookup, if the till may have it. It is open until `answered`."""
        return await self._count(key_id, "ask")

    async def answered(self, key_id: int, *, missed: bool) -> Permission:
        """The lookup has an answer, which may be told when this returns. `missed`: it counts as a guess."""
        return await self._count(key_id, "miss" if missed else "done")

    async def _count(self, key_id: int, deed: str) -> Permission:
        args = (deed, *self._limits, keys.TILL_TTL)
        word, wait_s, newly = await self._redis.call("EVAL", _TILL, 1, keys.till(key_id), *args)
        return Permission(Word(word.decode()), max(1, int(wait_s)), bool(newly))


def lift(redis: Redis, key_id: int, limits: AliasSettings) -> None:
    """Its misses are forgotten, so a stop ends now. Raises RedisError."""
    budgets = (limits.lookups_per_minute, limits.misses_per_hour, limits.misses_per_day)
    redis.eval(_TILL, 1, keys.till(key_id), "lift", *budgets, keys.TILL_TTL)


def read(redis: Redis, key_ids: Sequence[int], limits: AliasSettings) -> dict[int, Standing]:
    """What stands of these tills; none of one that never asked. Raises RedisError."""
    pipe = redis.pipeline(transaction=False)
    for key_id in key_ids:
        pipe.hgetall(keys.till(key_id))
    now = int(time.time())
    all_held = zip(key_ids, pipe.execute(), strict=True)
    return {key_id: _standing(held, limits, now) for key_id, held in all_held if held}


def _standing(held: dict[Any, Any], limits: AliasSettings, now: int) -> Standing:
    values = {name.decode(): int(value) for name, value in held.items()}
    hour = values["hn"] if now - values["hs"] < _HOUR_S else 0
    day = values["dn"] if now - values["ds"] < _DAY_S else 0
    stopped = hour >= limits.misses_per_hour or day >= limits.misses_per_day
    since = values["since"] if stopped else 0
    return Standing(last=values["last"], misses_hour=hour, misses_day=day, stopped_since=since)
