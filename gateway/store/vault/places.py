"""Every place where a person stands: sealed numbers, their indexes, and words that may name somebody.

The one list: erasure empties these places, rotation counts and renews what is sealed in them, and tests
look for a person in everything that a gateway keeps and fail on a place that is not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from sqlalchemy import Column

from gateway.store.redis import keys
from gateway.store.sql import schema


class Purpose(StrEnum):
    """What a number is sealed for: what was sealed for one use opens for no other."""

    SHOPPER = "shopper"
    REPLY = "reply"
    ANSWER = "answer"
    PART = "part"
    WISH = "wish"


class End(StrEnum):
    """What is left in a place when an erasure is complete."""

    GONE = "gone"
    STOP = "stop"  # the index, where a refusal must go on to hold
    SOON = "soon"  # it ends by itself, within what docs/vault.md says


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """`name`: as the operator reads it. `sealed`: for what, where a number stands sealed there.

    `rests`: what is sealed there is sealed anew after a rotation; elsewhere it drains by itself. `index`: the
    vault's index of the number stands there, in a name or a value.
    """

    name: str
    end: End = End.GONE
    sealed: Purpose | None = None
    rests: bool = False
    index: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InSql(Place):
    """A column."""

    column: Column[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InRedis(Place):
    """Keys whose names match `keys`, as SCAN matches."""

    keys: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnDisk(Place):
    """Files in a folder of the state directory, of each machine that has one."""

    folder: str


NUMBERS: Final = InSql(name="numbers", column=schema.shopper.c.number, sealed=Purpose.SHOPPER, rests=True)
ANSWERS: Final = InSql(name="answers", column=schema.message.c.sealed, sealed=Purpose.ANSWER, rests=True)
SQL: Final = (
    NUMBERS,
    ANSWERS,
    InSql(name="shoppers", column=schema.shopper.c.key, index=True),
    InSql(name="wrong codes", column=schema.wrong_code.c.shopper_key, index=True),
    InSql(name="erasures under way", column=schema.erasure.c.key, index=True),
    InSql(name="STOPs of the erased", column=schema.suppression.c.shopper_key, index=True, end=End.STOP),
    InSql(name="proofs of consent", column=schema.consent_entry.c.proof),
)
OUTBOX: Final = InRedis(
    name="texts to settle", keys=keys.of_firms("outbox"), sealed=Purpose.REPLY, index=True
)
DEAD: Final = InRedis(
    name="dead letters", keys=keys.of_firms("dead"), sealed=Purpose.REPLY, rests=True, index=True
)
SEND: Final = InRedis(name="texts to send", keys=keys.of_firms("send:*"), sealed=Purpose.ANSWER, index=True)
PARTS: Final = InRedis(name="parts of long texts", keys=keys.parts("*"), sealed=Purpose.PART)
REDIS: Final = (
    OUTBOX,
    DEAD,
    SEND,
    PARTS,
    InRedis(name="limits", keys=keys.of_firms("limits:*"), index=True),
    InRedis(name="consent", keys=keys.of_firms("consent:*"), index=True, end=End.STOP),
    InRedis(name="claims", keys=keys.of_firms("claim:*"), index=True),
    InRedis(name="outcomes to settle", keys=keys.of_firms("results"), index=True, end=End.SOON),
    InRedis(name="receipts to settle", keys=keys.receipts("*"), index=True, end=End.SOON),
    InRedis(name="outcomes laid aside", keys=keys.of_firms("results-dead"), index=True),
    InRedis(name="contacts", keys=keys.contacts("*", "*"), index=True),
    InRedis(name="calls", keys=keys.called_person("*"), index=True, end=End.SOON),
    InRedis(name="PINs", keys=keys.pin("*"), index=True),
    InRedis(name="PINs of an hour", keys=keys.pins_for_number("*"), index=True),
)
WISHES: Final = OnDisk(name="wishes of callees", folder="wishes", sealed=Purpose.WISH, rests=True)
DISK: Final = (WISHES,)


def everywhere() -> Iterator[Place]:
    """All of them."""
    yield from SQL
    yield from REDIS
    yield from DISK


def of_key(name: str) -> InRedis | None:
    """The place that a Redis key belongs to; None: nobody stands there."""
    return next((place for place in REDIS if fnmatchcase(name, place.keys)), None)
