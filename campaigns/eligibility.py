"""Who may be reached at a moment: the law and the people's consent as they stand, charging nothing.

The gate decides again right before each text or call leaves. This is for those who plan: the preflight, and
the fan-out, which need not queue what would be put off anyway.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from redis import Redis

from config.policies import Policies
from gateway.domain.consent.word import Channel, Purpose, read_word
from gateway.domain.policy.decide import Contact, decide
from gateway.domain.policy.verdict import Decision
from gateway.store.offers.audiences import Member
from gateway.store.redis import keys

_CONTACT = struct.Struct(">I8s")  # as caps.lua keeps one: second, tag
_MINUTE_MS = 60_000
_MOST_KEPT = 20_000


class Person(NamedTuple):
    """Of whom it is asked. `key`: the vault's index of `number` (E.164 digits)."""

    key: str
    number: str


class Reached(NamedTuple):
    """Somebody who may be written to or called now. `number`: the member's, opened."""

    member: Member
    number: str


class Looks(Protocol):
    """Look, or what stands in for it."""

    def look(self, firm: int, channel: Channel, people: Sequence[Person], now: int) -> list[Decision]:
        """One decision a person, for what the firm sends by `channel` at `now`, ms since 1970.

        Raises RedisError.
        """


class Look:
    """`redis` answers bytes. `policies`: read anew for each look."""

    def __init__(self, redis: Redis, policies: Callable[[], Policies]) -> None:
        self._redis = redis
        self._policies = policies
        self._kept: dict[tuple[Any, ...], Decision] = {}

    def look(self, firm: int, channel: Channel, people: Sequence[Person], now: int) -> list[Decision]:
        """One decision a person, for what the firm sends by `channel` at `now`, ms since 1970.

        Raises RedisError.
        """
        if not people:
            return []
        words: Any = self._redis.mget([keys.consent(firm, p.key) for p in people])
        contacts: Any = self._redis.mget([keys.contacts(channel, p.key) for p in people])
        policies = self._policies()
        return [
            self._decide(_contact(person, channel, word, rows), channel, now, policies)
            for person, word, rows in zip(people, words, contacts, strict=True)
        ]

    def _decide(self, contact: Contact, channel: Channel, now: int, policies: Policies) -> Decision:
        """Without recent contacts all of a prefix and a word are alike: most are decided once a minute."""
        contacted = bool(contact.contacted)
        prefix = contact.number[: policies.longest]
        known = (prefix, channel, contact.consent, now // _MINUTE_MS, id(policies))
        if not contacted and known in self._kept:
            return self._kept[known]
        decision = decide(contact, channel, Purpose.MARKETING, now, policies)
        if not contacted:
            if len(self._kept) > _MOST_KEPT:
                self._kept.clear()
            self._kept[known] = decision
        return decision


def _contact(person: Person, channel: Channel, word: bytes | None, rows: bytes | None) -> Contact:
    consent = read_word((word or b"").decode())[channel].consent
    contacted = tuple(second * 1000 for second, _ in _CONTACT.iter_unpack(rows or b""))
    return Contact(number=person.number, consent=consent, contacted=contacted)
