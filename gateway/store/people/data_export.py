"""What is kept about one person, for the person's own question: everything in SQL that leads to them.

Neither the number nor an alias nor the words of texts: the first two the person knows, the last are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, select

from gateway.store.sql import schema

# What is listed: table -> columns that are told, the time first.
_LISTED: tuple[tuple[str, Table, tuple[str, ...]], ...] = (
    (
        "activations",
        schema.activation,
        ("claimed_at", "firm_id", "campaign_id", "points", "channel", "message_id"),
    ),
    ("ledger", schema.ledger_entry, ("entered_at", "firm_id", "kind", "state", "points")),
    ("messages", schema.message, ("queued_at", "firm_id", "kind", "state", "short_number", "id")),
    (
        "offer_calls",
        schema.offer_call_record,
        ("begun_at", "firm_id", "blast_id", "answered_at", "ended_at", "outcome", "answered_by", "keys"),
    ),
    ("questions", schema.consent_ask, ("asked_at", "firm_id", "wording", "message_id")),
)


class Holdings(NamedTuple):
    """Of a known person. `listed`: by kind, oldest first; `aliases`, `wrong_codes`: how many are kept."""

    created_at: int
    language: str | None
    listed: dict[str, list[dict[str, Any]]]
    aliases: int
    wrong_codes: int


def of_person(connection: Connection, shopper_id: int, firm_id: int | None = None) -> Holdings:
    """What is kept of a shopper; of one firm, or of all and of none."""
    s, a = schema.shopper, schema.alias
    person = connection.execute(
        select(s.c.key, s.c.created_at, s.c.language).where(s.c.id == shopper_id)
    ).one()
    aliases = select(func.count()).where(a.c.shopper_id == shopper_id)
    return Holdings(
        created_at=person.created_at,
        language=person.language,
        listed={
            name: _rows(connection, table, columns, shopper_id, firm_id) for name, table, columns in _LISTED
        },
        aliases=connection.execute(aliases).scalar_one() if firm_id is None else 0,
        wrong_codes=_wrong(connection, person.key, firm_id),
    )


def _rows(
    connection: Connection, table: Table, columns: Sequence[str], shopper_id: int, firm_id: int | None
) -> list[dict[str, Any]]:
    query = select(*(table.c[name] for name in columns)).where(table.c.shopper_id == shopper_id)
    if firm_id is not None:
        query = query.where(table.c.firm_id == firm_id)
    return [dict(row) for row in connection.execute(query.order_by(table.c[columns[0]])).mappings()]


def _wrong(connection: Connection, shopper: str, firm_id: int | None) -> int:
    w = schema.wrong_code
    query = select(func.coalesce(func.sum(w.c.count), 0)).where(w.c.shopper_key == shopper)
    if firm_id is not None:
        query = query.where(w.c.firm_id == firm_id)
    return int(connection.execute(query).scalar_one())
