"""What is said of one recipient at one moment: may be written to, later, or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Allow(NamedTuple):
    """Now."""


class Defer(NamedTuple):
    """Not before `until`, ms since 1970."""

    until: int
    reason: str


class Deny(NamedTuple):
    """Not at all. `reason`: a word of a closed set."""

    reason: str


Verdict = Allow | Defer | Deny


class Person(NamedTuple):
    """Of whom it is asked. `key`: the vault's index of `number` (E.164 digits)."""

    key: str
    number: str


class Looks(Protocol):
    """The law and the people's consent as they stand, without charging anything."""

    def look(self, firm: int, people: Sequence[Person], now: int) -> list[Verdict]:
        """One verdict a person, for a text of the firm's at `now`, ms since 1970. Raises RedisError."""
