"""What Redis knows of a marketing contact right before it leaves: the blast, the person's word, the caps.

Questions about a firm are one call on its slot; persons' caps span firms, so they are charged in a call of
their own on theirs, and only for what everything else allows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from gateway.domain.consent.word import Channel
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import Functions, StoreUnavailable

_Call = Callable[[str, Sequence[Sequence[Any]]], Awaitable[list[Any]]]
_DAY_S, _WEEK_S = 86_400, 7 * 86_400


class GateAway(Exception):
    """Redis cannot be asked, or may decide for no firm: nothing may leave."""


class Asked(NamedTuple):
    """Whose word, for which blast."""

    firm_id: int
    shopper: str
    blast: str


class Stands(NamedTuple):
    """The answer. `now`: Redis' clock, ms since 1970; `blast`: running, paused, cancelled or empty;
    `word`: as in gateway.domain.consent.word.
    """

    now: int
    blast: str
    word: str


class Charge(NamedTuple):
    """One contact of a person. `tag`: as gateway.domain.policy.caps makes it."""

    shopper: str
    channel: Channel
    per_day: int
    per_week: int
    tag: bytes


class Free(NamedTuple):
    """When one more contact is allowed, ms since 1970; 0: it is charged. `by_week`: the week's cap holds."""

    at: int
    by_week: bool


class GateStore:
    """`verify` holds Redis against SQL and raises StoreUnavailable while it may not decide for any firm.

    `offset_s`: added to Redis' clock, in tests and drills only.
    """

    def __init__(
        self,
        redis: DurableRedis,
        *,
        deployment: str,
        verify: Callable[[], Awaitable[None]],
        offset_s: int = 0,
    ) -> None:
        self._deployment = deployment
        self._offset_s = offset_s
        self._functions = Functions(redis, verify, "gate", "caps")

    async def look(self, asked: Sequence[Asked]) -> list[Stands | None]:
        """What stands for each, firms in one round trip; None where Redis does not hold this firm's consent.

        Raises GateAway.
        """
        places: dict[int, list[int]] = {}
        for place, one in enumerate(asked):
            places.setdefault(one.firm_id, []).append(place)
        calls = [self._look(firm, [asked[place] for place in at]) for firm, at in places.items()]
        raw = await self._call(self._functions.call_surely, "gate", calls)
        found: list[Stands | None] = [None] * len(asked)
        for (firm, at), (now, *values) in zip(places.items(), raw, strict=True):
            if not values:
                self._functions.doubt(firm)
                continue
            for number, place in enumerate(at):
                state, word = values[2 * number : 2 * number + 2]
                found[place] = Stands(int(now) + self._offset_s * 1000, state.decode(), word.decode())
        return found

    async def charge(self, charges: Sequence[Charge]) -> list[Free]:
        """Charge contacts, or say when one more is allowed. Raises GateAway.

        On disk when it returns. A contact that does not leave afterwards has been counted all the same.
        """
        if not charges:
            return []
        names = [keys.contacts(charge.channel, charge.shopper) for charge in charges]
        args: list[Any] = [self._offset_s, _DAY_S, _WEEK_S]
        for charge in charges:
            args += (charge.per_day, charge.per_week, charge.tag)
        (found,) = await self._call(self._functions.call, "caps", [(len(names), *names, *args)])
        return [Free(abs(second) * 1000, second < 0) for second in map(int, found)]

    async def _call(self, call: _Call, name: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """One function with several sets of arguments, in one round trip."""
        try:
            return await call(name, calls)
        except (StoreUnavailable, RedisError, OSError, TimeoutError) as err:
            raise GateAway(type(err).__name__) from err

    def _look(self, firm: int, asked: Sequence[Asked]) -> tuple[Any, ...]:
        names = [keys.gate(firm)]
        for one in asked:
            names += (keys.blast(firm, one.blast), keys.consent(firm, one.shopper))
        return (len(names), *names, self._deployment)
