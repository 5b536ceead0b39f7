"""What SQL holds of a shopper, as the tests compare it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A row of `message`."""

    outcomes: str
    state: str
    link: str
    short_number: str
    segments: int
    attempts: int
    error: str | None
    emptied: bool  # nothing of what it said is kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """All that SQL holds of one shopper, each list in the order of its rows.

    `activations`: campaign, serial, points, channel. `entries`: kind, state, points. `consent`: channel,
    state, how. `aliases`: counters.
    """

    activations: list[tuple[int, int, int, str]]
    entries: list[tuple[str, str, int]]
    balance: int
    consent: list[tuple[str, str, str]]
    aliases: list[int]
    wrong: int
    replies: list[Reply]


def stored(sql: Callable[..., list[Any]], key: str) -> Stored:
    """Read it: `sql` runs a query with named values, `key` is the vault's index of the number."""
    own = "shopper_id = (SELECT id FROM shopper WHERE key = :key)"

    def rows(columns: str, table: str) -> list[Any]:
        order = {"message": "queued_at", "balance": "firm_id"}.get(table, "id")
        which = f"{own} AND blast_id IS NULL" if table == "message" else own  # offers are no replies
        query = f"SELECT {columns} FROM {table} WHERE {which} ORDER BY {order}"  # noqa: S608 - names of ours
        return sql(query, key=key)

    wrong = sql("SELECT sum(count) FROM wrong_code WHERE shopper_key = :key", key=key)
    replies = rows(
        "outcomes, state, link, short_number, segments, attempts, error, sealed IS NULL", "message"
    )
    names = Reply.__dataclass_fields__
    return Stored(
        activations=[tuple(r) for r in rows("campaign_id, serial, points, channel", "activation")],
        entries=[tuple(r) for r in rows("kind, state, points", "ledger_entry")],
        balance=sum(r[0] for r in rows("points", "balance")),
        consent=[tuple(r) for r in rows("channel, state, how", "consent_entry")],
        aliases=[r[0] for r in rows("id", "alias")],
        wrong=wrong[0][0] or 0,
        replies=[Reply(**dict(zip(names, row, strict=True))) for row in replies],
    )
