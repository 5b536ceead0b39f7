"""A till asks whose an alias is: that there is one, and the points at the till's own firm.

The budget of a till is asked before anything is looked up, and told of the outcome before the till is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from gateway.domain.people.alias import counter_of, is_well_formed
from gateway.store.firms.api_keys import ApiKey
from gateway.store.firms.tills import Permission, Word
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter

log = structlog.get_logger()


class CountsLookups(Protocol):
    """gateway.store.firms.tills. Both raise RedisError."""

    async def ask(self, key_id: int) -> Permission:
        """Whether a till may look up."""

    async def answered(self, key_id: int, *, missed: bool) -> Permission:
        """What came of it. `missed`: nobody has what was asked for, and it was no slip of the fingers."""


class KnowsAliases(Protocol):
    """gateway.store.people.aliases."""

    async def balance(self, counter: int | None, firm_id: int) -> int | None:
        """Points of whoever has an alias; None for one that nobody has. Raises SQLAlchemyError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupDesk:
    """What lookups need at hand. `alias_key`: of FF1, 32 bytes as hex."""

    tills: CountsLookups
    aliases: KnowsAliases
    alias_key: str
    meter: Meter


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An alias that somebody has. `balance`: points at the till's firm."""

    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No alias of anybody: mistyped, never given, dead or erased; which of them is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """The till has spent a budget; nothing was looked up. `wait_s`: until it may ask again."""

    wait_s: int


CROWDED: Final = "crowded"  # as many at once as one key may ask
LOOKUP_WORDS: Final = ("found", "unknown", "mistyped", CROWDED, *(w for w in Word if w is not Word.GO))


async def look_up(said: str, till: ApiKey, desk: LookupDesk) -> Found | Unknown | TooMany:
    """Look up an alias as it was said at a till. Raises RedisError, SQLAlchemyError; nothing is told then.

    What its check digit shows to be mistyped is looked for, to take the same time, and is no miss.
    """
    permission = await desk.tills.ask(till.id)
    if permission.word is not Word.GO:
        _alarm(permission, till, desk.meter)
        desk.meter.count(measures.ALIAS_LOOKUPS, permission.word.value)
        return TooMany(wait_s=permission.wait_s)
    balance = await desk.aliases.balance(counter_of(said, desk.alias_key), till.firm_id)
    missed = balance is None and is_well_formed(said)
    _alarm(await desk.tills.answered(till.id, missed=missed), till, desk.meter)
    word = "found" if balance is not None else "unknown" if missed else "mistyped"
    desk.meter.count(measures.ALIAS_LOOKUPS, word)
    return Unknown() if balance is None else Found(balance=balance)


def _alarm(permission: Permission, till: ApiKey, meter: Meter) -> None:
    """Once for each time that a till is stopped."""
    if permission.newly:
        meter.count(measures.TILLS_STOPPED)
        log.error(
            "till stopped: it asked for too many aliases that nobody has",
            firm=till.firm_id,
            key=till.id,
            for_s=permission.wait_s,
            mend="see `undercap firm tills`; `undercap firm lift` lets it go on, `firm revoke` ends its key",
        )
