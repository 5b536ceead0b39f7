"""Whether a person is one of a firm's own: whoever texted it, activated at it, or told it of offers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Table, func, select, union_all

from gateway.store.sql import schema

TRIAL: Final = "trial"  # a text to try a link or a blast with
_DEALINGS: Final[tuple[tuple[Table, Column[int]], ...]] = (
    (schema.activation, schema.activation.c.claimed_at),
    (schema.ledger_entry, schema.ledger_entry.c.entered_at),
    (schema.consent_entry, schema.consent_entry.c.said_at),
    (schema.message, schema.message.c.queued_at),
)


def since(connection: Connection, shopper_id: int, firm_id: int) -> int | None:
    """Since when a shopper deals with a firm, ms since 1970; None for a stranger to it.

    A text that the firm has only tried out on a number makes nobody its own.
    """
    firsts = []
    for table, at in _DEALINGS:
        query = select(func.min(at).label("at")).where(
            table.c.shopper_id == shopper_id, table.c.firm_id == firm_id
        )
        if table is schema.message:
            query = query.where(table.c.kind != TRIAL)
        firsts.append(query)
    every = union_all(*firsts).subquery()
    found = connection.scalar(select(func.min(every.c.at)))
    return None if found is None else int(found)
