"""Atomic functions, called by their hash: a Redis that was started anew is held against SQL before it is
believed.

Redis forgets its functions when it restarts, so a restart is always noticed (NOSCRIPT) before anything is
decided by data that may be old. A server to which one comes back after a failover has kept them: so Redis is
held against SQL as well whenever a connection has ended.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from redis.exceptions import NoScriptError

from gateway.store.redis.durable import DurableRedis

VERIFY_EVERY_S: Final = 1.0
_TRIES: Final = 3
_SHARED: Final = "-- With words.lua."  # the first line of functions that change words of consent


@cache
def script(name: str) -> str:
    """The text of an atomic function, with what it shares with others."""
    text = _read(name)
    return f"{_read('words')}\n{text}" if text.startswith(_SHARED) else text


def _read(name: str) -> str:
    return files("gateway.store.lua").joinpath(f"{name}.lua").read_text(encoding="utf-8")


class StoreUnavailable(Exception):
    """Redis did not take the texts in time; nothing was acknowledged, the SMSC keeps them."""


class Functions:
    """Those called `names`. `verify` raises StoreUnavailable while this Redis may decide for no firm at
    all.
    """

    def __init__(self, redis: DurableRedis, verify: Callable[[], Awaitable[None]], *names: str) -> None:
        self._redis = redis
        self._verify = verify
        self._names = names
        self._shas: dict[str, str] = {}
        self._doubted = False
        self._broken = redis.broken
        self._doubt_again: dict[int, float] = {}

    async def call_surely(self, name: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """As `call`, of a function that changes nothing: no answer counts whose connection broke on the way,
        since it may be of a server that nobody has held against SQL. Raises RedisError, StoreUnavailable.
        """
        for _ in range(_TRIES):
            answers = await self.call(name, calls)
            if self._redis.broken == self._broken:
                return answers
        raise StoreUnavailable("connections to Redis end again and again")

    async def call(self, name: str, calls: Sequence[Sequence[Any]], *, again: bool = True) -> list[Any]:
        """One function with several sets of keys and arguments (the number of keys first), in one round trip.

        `again`: a Redis that was started anew is asked again with the same, once it was held against SQL.
        Raises RedisError, without `again` also NoScriptError; StoreUnavailable.
        """
        if self._redis.broken != self._broken:
            self._shas = {}
        if not self._shas:
            await self._open()
        elif self._doubted:
            await self._verify()
            self._doubted = False
        try:
            return await self._redis.calls([("EVALSHA", self._shas[name], *call) for call in calls])
        except NoScriptError:
            self._shas = {}
            if not again:
                raise
        await self._open()
        return await self._redis.calls([("EVALSHA", self._shas[name], *call) for call in calls])

    def doubt(self, firm_id: int) -> None:
        """A firm was found closed: have Redis held against SQL before the next call, which opens what is new.

        Once a second at most: firms that are whole do not wait for one that is noisy and closed.
        """
        now = time.monotonic()
        if now >= self._doubt_again.get(firm_id, 0.0):
            self._doubt_again[firm_id] = now + VERIFY_EVERY_S
            self._doubted = True

    async def _open(self) -> None:
        self._shas = {}
        self._broken = self._redis.broken
        await self._verify()
        self._doubted = False
        loaded: dict[str, str] = {}
        for name in self._names:
            sha = await self._redis.redis.script_load(script(name))
            loaded[name] = sha if isinstance(sha, str) else sha.decode()
        self._shas = loaded
