"""Who may be written to at a moment: the law and the people's consent as they stand, charging nothing.

The gate decides again right before each text leaves. This is for those who plan: the preflight, and the
fan-out, which need not queue what would be put off anyway.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from redis import Redis

from config.policies import Policies
from gateway.domain.consent import Channel, Purpose, read_word
from gateway.domain.policy.decide import Contact, decide
from gateway.domain.policy.verdict import Decision
from gateway.store import keys

_CONTACT = struct.Struct(">I8s")  # as caps.lua keeps one: second, tag
_MINUTE_MS = 60_000
_MOST_KEPT = 20_000


class Person(NamedTuple):
    """Of whom it is asked. `key`: the vault's index of `number` (E.164 digits)."""

    key: str
    number: str


class Looks(Protocol):
    """Look, or what stands in for it."""

    def look(self, firm: int, people: Sequence[Person], now: int) -> list[Decision]:
        """One decision a person, for a text of the firm's at `now`, ms since 1970. Raises RedisError."""


class Look:
    """`redis` answers bytes. `policies`: read anew for each look."""

    def __init__(self, redis: Redis, policies: Callable[[], Policies]) -> None:
        self._redis = redis
        self._policies = policies
        self._kept: dict[tuple[Any, ...], Decision] = {}

    def look(self, firm: int, people: Sequence[Person], now: int) -> list[Decision]:
        """One decision a person, for a text of the firm's at `now`, ms since 1970. Raises RedisError."""
        if not people:
            return []
        words: Any = self._redis.mget([keys.consent(firm, p.key) for p in people])
        contacts: Any = self._redis.mget([keys.contacts(Channel.SMS, p.key) for p in people])
        policies = self._policies()
        return [
            self._decide(person, word, rows, now, policies)
            for person, word, rows in zip(people, words, contacts, strict=True)
        ]

    def _decide(
        self, person: Person, word: bytes | None, rows: bytes | None, now: int, policies: Policies
    ) -> Decision:
        """Without recent contacts all of a prefix and a word are alike: most are decided once a minute."""
        consent = read_word((word or b"").decode())[Channel.SMS].consent
        contacted = tuple(second * 1000 for second, _ in _CONTACT.iter_unpack(rows or b""))
        known = (person.number[: policies.longest], consent, now // _MINUTE_MS, id(policies))
        if not contacted and known in self._kept:
            return self._kept[known]
        contact = Contact(number=person.number, consent=consent, contacted=contacted)
        decision = decide(contact, Channel.SMS, Purpose.MARKETING, now, policies)
        if not contacted:
            if len(self._kept) > _MOST_KEPT:
                self._kept.clear()
            self._kept[known] = decision
        return decision
