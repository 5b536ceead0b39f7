"""One-time PINs that prove a number on the web page: counted, kept as digests, ended by time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from config.settings import WebSettings
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import script


class Asked(StrEnum):
    """What comes of a wish for a PIN: it may be sent, or whose limit is reached."""

    SENT = "sent"
    NUMBER = "number"
    ADDRESS = "address"
    ALL = "all"


class Host(NamedTuple):
    """The firm whose short number a PIN comes from, and how many firms share the budget of all."""

    firm: int
    among: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The PIN of a number as it is kept. `used_by`: the digest of the wish that used it up, or empty."""

    digest: str
    short_number: str
    used_by: str


class Permission(NamedTuple):
    """`wait_s`: until the limit's hour is over."""

    asked: Asked
    wait_s: int


class PinStore:
    """All calls raise RedisError."""

    def __init__(self, redis: DurableRedis, limits: WebSettings) -> None:
        self._redis = redis
        self._limits = limits

    async def ask(self, shopper: str, address: str, digest: str, short_number: str, host: Host) -> Permission:
        """Put a PIN in place if it may be sent. `shopper`, `address`: the vault's words for them."""
        limits = self._limits
        asked, wait_s = await self._run(
            _ASK,
            (
                keys.pin(shopper),
                keys.pins_for_number(shopper),
                keys.pins_from_address(address),
                keys.pins_of_all(),
                keys.pins_of_firm(host.firm),
            ),
            digest,
            short_number,
            limits.pin_ttl_s,
            limits.pins_per_number_hour,
            limits.pins_per_address_hour,
            limits.pins_per_hour,
            keys.PINS_WINDOW,
            host.among,
        )
        return Permission(Asked(asked.decode()), max(1, int(wait_s)))

    async def attempt(self, shopper: str) -> Held | None:
        """Count a try; the PIN to compare with, or None where there is none to try at."""
        found = await self._run(_TRY, (keys.pin(shopper),), self._limits.pin_attempts)
        if not found:
            return None
        digest, short_number, used_by = (value.decode() for value in found)
        return Held(digest=digest, short_number=short_number, used_by=used_by)

    async def right(self, shopper: str, held: Held, used_by: str = "") -> None:
        """The try was right. `used_by`: the digest of the wish that used the PIN up, if one has."""
        await self._run(_RIGHT, (keys.pin(shopper),), held.digest, used_by)

    async def _run(self, body: str, names: tuple[str, ...], *args: Any) -> Any:
        return await self._redis.call("EVAL", body, len(names), *names, *args)


_ASK = script("pin_ask")
_TRY = script("pin_try")
_RIGHT = script("pin_right")
