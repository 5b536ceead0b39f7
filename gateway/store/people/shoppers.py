"""Shoppers as the ledger enters them: whoever first texts, calls, or types a code on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    bindparam,
    select,
    update,
)

from gateway.domain.offers.audience import prefix_of
from gateway.store.sql import schema, statements
from gateway.store.sql.statements import execute_many
from gateway.store.vault.places import Purpose
from gateway.store.vault.vault import Vault

SEAL_SHOPPER = Purpose.SHOPPER


class Person(NamedTuple):
    """A shopper as the ledger knows them. `language`: uk, ru, kk, en, or None while nobody has told."""

    id: int
    language: str | None


def row(
    vault: Vault, *, key: str, number: bytes, language: str | None, at: int, told_at: int | None = None
) -> dict[str, Any]:
    """What is kept of a new shopper. `key`: the vault's index of `number` (E.164 digits); `at`: ms.

    `told_at`: when (ms) the shopper has told the language; None where somebody else did.
    """
    sealed = vault.seal(SEAL_SHOPPER, number)
    prefix = prefix_of(number.decode())
    return {
        "key": key,
        "number": sealed,
        "language": language,
        "language_at": told_at,
        "prefix": prefix,
        "created_at": at,
    }


def enter(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter new shoppers; one that is known meanwhile stays as it is.

    In the order of their keys, as all who enter shoppers do: PostgreSQL would else see two of them wait for
    each other.
    """
    statements.insert_missing(
        connection, schema.shopper, sorted(rows, key=lambda entered: str(entered["key"]))
    )


def join(connection: Connection, firm_id: int, shoppers: Sequence[int]) -> None:
    """Let shoppers who have activated nothing be of the firm: its audiences then have them."""
    rows = [{"shopper_id": id_, "firm_id": firm_id, "points": 0} for id_ in shoppers]
    statements.insert_missing(connection, schema.balance, rows)


def find(connection: Connection, key: str) -> Person | None:
    """The shopper of a key."""
    t = schema.shopper
    found = connection.execute(select(t.c.id, t.c.language).where(t.c.key == key)).first()
    return Person(id=found.id, language=found.language) if found else None


def speak(connection: Connection, told: Mapping[int, tuple[str, int]]) -> None:
    """Keep the languages that shoppers have told: id -> language, and when (ms). The later one stays."""
    rows = [
        {"b_shopper": id_, "b_language": language, "b_at": at} for id_, (language, at) in sorted(told.items())
    ]
    if rows:
        execute_many(connection, "language", lambda: _SPEAK, rows)


def known_or_new(connection: Connection, vault: Vault, *, key: str, number: str, at: int) -> Person:
    """The shopper of a key, entered if need be. `number`: E.164 digits; `at`: ms."""
    found = find(connection, key)
    if found is None:
        enter(connection, [row(vault, key=key, number=number.encode(), language=None, at=at)])
        found = find(connection, key)
    if found is None:
        raise LookupError("a shopper that was just entered is not there")
    return found


_SPEAK = (
    update(schema.shopper)
    .where(
        schema.shopper.c.id == bindparam("b_shopper"),
        schema.shopper.c.language_at.is_(None) | (schema.shopper.c.language_at <= bindparam("b_at")),
    )
    .values(language=bindparam("b_language"), language_at=bindparam("b_at"))
)
