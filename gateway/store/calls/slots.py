"""Slots of offer calls: each person has one live call, and blasts and the operator have their limits.

They hold over all dialers, by Redis' clock. A slot lasts until the deadline of its call unless it is given
back, so the calls of a dialer that was killed count for as long as they may live.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import script

AHEAD_S: Final = 0.25  # a call may begin so much later than its slot was given: time to bring it to disk
_TAKE: Final = script("call_slots")
_END: Final = script("call_slots_end")


class Limits(NamedTuple):
    """Calls at once, and calls that begin in a second."""

    channels: int
    calls_per_s: float


class Wanted(NamedTuple):
    """A call that is to be made. `shopper`: the vault's index of the number; `limits`: of its blast.

    `deadline_s`: seconds within which it ends, from its beginning.
    """

    id: str
    shopper: str
    blast_id: int
    limits: Limits
    deadline_s: float


class Given(StrEnum):
    """Whether there was a slot, or why not."""

    SLOT = "slot"
    PERSON = "person"  # has another live call
    CHANNELS = "channels"  # all are taken
    PACE = "pace"  # enough calls begin in these moments


class Grant(NamedTuple):
    """`at`: when it may begin, by time.monotonic(); without a slot, when it may be asked for again."""

    given: Given
    at: float


class CallSlots:
    """`limits`: of all blasts and dialers together, the operator's."""

    def __init__(self, redis: DurableRedis, limits: Limits) -> None:
        self._redis = redis
        self._limits = limits

    async def take(self, wanted: Sequence[Wanted], slowed: float = 1.0) -> list[Grant]:
        """A slot for each, or none; may be repeated. Raises RedisError.

        `slowed`: the share of all rates that this dialer takes.
        """
        names = [keys.live_calls(), keys.call_pace()]
        args: list[Any] = [self._limits.channels, self._limits.calls_per_s * slowed, int(AHEAD_S * 1e6)]
        for one in wanted:
            blast = str(one.blast_id)
            names += (keys.called_person(one.shopper), keys.live_calls(blast), keys.call_pace(blast))
            most_ms = int((one.deadline_s + AHEAD_S) * 1000)
            args += (one.id, most_ms, one.limits.channels, one.limits.calls_per_s * slowed)
        found = await self._redis.call("EVAL", _TAKE, len(names), *names, *args)
        now = time.monotonic()  # after Redis' clock was read: no call begins before its moment
        return [Grant(Given(given.decode()), now + int(micros) / 1e6) for given, micros in found]

    async def give_back(self, held: Sequence[Wanted]) -> None:
        """End slots; of one that has run out nothing is changed. Raises RedisError."""
        names = [keys.live_calls()]
        for one in held:
            names += (keys.called_person(one.shopper), keys.live_calls(str(one.blast_id)))
        await self._redis.call("EVAL", _END, len(names), *names, *(one.id for one in held))

    async def live(self) -> int:
        """How many calls there are, of all dialers. Raises RedisError."""
        seconds, micros = await self._redis.redis.time()
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        return int(await self._redis.redis.zcount(keys.live_calls(), now_ms, "+inf"))


class Dialers:
    """Which dialers live: each says so again and again."""

    def __init__(self, redis: DurableRedis) -> None:
        self._redis = redis.redis

    async def here(self, name: str) -> None:
        """This one does. Raises RedisError."""
        await self._redis.set(keys.dialer(name), "1", ex=keys.DIALER_TTL)

    async def leave(self, name: str) -> None:
        """This one ends, and has nothing under way. Raises RedisError."""
        await self._redis.delete(keys.dialer(name))

    async def silent(self, names: Sequence[str]) -> list[str]:
        """Those of them that have said nothing of late. Raises RedisError."""
        found = [await self._redis.exists(keys.dialer(name)) for name in names]
        return [name for name, there in zip(names, found, strict=True) if not there]
