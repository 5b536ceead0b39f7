"""The words of consent in Redis, for changes that come by no text: page, API, call, import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError, RedisError

from gateway.domain.consent.word import IN_ORDER, Channel, Consent, Said, read_word
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable, script

NOW = 0
_UNVERIFIED = ""  # no deployment has this id: such changes are not counted
_WORDS = {Consent.GIVEN: "in", Consent.WITHDRAWN: "out"}


class ConsentClosed(RedisError):
    """This Redis may have lost a no; it takes a no, and no yes before it is rebuilt."""


class Put(NamedTuple):
    """A word to be put in place. `shopper`: the vault's index; `at`: ms since 1970, of a no also NOW."""

    shopper: str
    channels: tuple[Channel, ...]
    consent: Consent
    at: int


class Place(NamedTuple):
    """A place in the order of a firm's changes. `moment`: ms since 1970, later than all before.

    `changes`: how many there were, to be held against SQL; 0: not to be counted.
    """

    moment: int
    changes: int


class ConsentWords:
    """All calls raise RedisError; what they put is on disk when they return, and in force everywhere.

    `verify` holds Redis against SQL and raises StoreUnavailable. As with claims, the function is called by
    its hash, so that a Redis that was started anew is held against SQL before its order of changes goes on.
    """

    def __init__(
        self, redis: DurableRedis, *, deployment: str, verify: Callable[[], Awaitable[None]]
    ) -> None:
        self._redis = redis
        self._deployment = deployment
        self._verify = verify
        self._sha: str | None = None

    async def read(self, firm_id: int, shopper: str) -> dict[Channel, Said]:
        """How a shopper stands to a firm."""
        return (await self.read_many(firm_id, [shopper]))[0]

    async def read_many(self, firm_id: int, shoppers: Sequence[str]) -> list[dict[Channel, Said]]:
        """How each of the shoppers stands to a firm."""
        if not shoppers:
            return []
        words: Any = await self._redis.redis.mget([keys.consent(firm_id, key) for key in shoppers])
        return [read_word(word.decode() if word else "") for word in words]

    async def reserve(self, firm_id: int) -> Place:
        """A place for a yes, which is put only once it is recorded. Raises ConsentClosed."""
        place = (await self._put(firm_id, [], needs_whole=True))[0]
        if not place.changes:
            raise ConsentClosed("closed: Redis does not hold this firm's keys")
        return place

    async def put(self, firm_id: int, puts: Sequence[Put]) -> tuple[Place, list[dict[Channel, Said]]]:
        """Put words of one firm in place, each unless a later one stands; a no of NOW always.

        Returns its place, and how each shopper stands then. A no is put even into a Redis that is behind.
        """
        needs_whole = any(put.consent is Consent.GIVEN for put in puts)
        return await self._put(firm_id, puts, needs_whole=needs_whole)

    async def _put(
        self, firm_id: int, puts: Sequence[Put], *, needs_whole: bool
    ) -> tuple[Place, list[dict[Channel, Said]]]:
        names = [keys.gate(firm_id), keys.order(firm_id)]
        names += [keys.consent(firm_id, put.shopper) for put in puts]
        args: list[Any] = []
        for put in puts:
            channels = "all" if set(put.channels) == set(IN_ORDER) else put.channels[0]
            args += (_WORDS[put.consent], put.at, channels)
        now, count, *words = await self._call(len(names), names, args, needs_whole=needs_whole)
        return Place(int(now), int(count)), [read_word(word.decode()) for word in words]

    async def _call(self, size: int, names: list[str], args: list[Any], *, needs_whole: bool) -> Any:
        for _ in range(2):  # it may be started anew in between, once
            try:
                if self._sha is None:
                    self._sha = await self._open()
                return await self._redis.call("EVALSHA", self._sha, size, *names, self._deployment, *args)
            except NoScriptError:
                self._sha = None
            except StoreUnavailable as err:
                if needs_whole:
                    raise ConsentClosed(str(err)) from err
                break
        if needs_whole:
            raise ConsentClosed("Redis forgets its functions")
        return await self._redis.call("EVAL", _NOT_VERIFIED, size, *names, _UNVERIFIED, *args)

    async def _open(self) -> str:
        await self._verify()
        loaded = await self._redis.redis.script_load(_CONSENT)
        return loaded if isinstance(loaded, str) else loaded.decode()


_CONSENT = script("consent")
# Another text has another hash: by it no function is found that a whole Redis ought to have.
_NOT_VERIFIED = f"{_CONSENT}\n-- This Redis was not held against SQL.\n"
