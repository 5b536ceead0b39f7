"""What became of one text of ours, as the ledger knows it; without its number and its words."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine, select

from gateway.store.sql import schema


class Message(NamedTuple):
    """`state`: queued, accepted, delivered, failed, expired or unknown. `attempts`: submits begun, where any
    outcome was unknown. `smsc_id` of its last segment. `error`: the SMSC's word and code, or ours.
    `accepted_at`: when the SMSC took it; `ended_at`: of its last change. Times in ms since 1970.
    """

    id: str
    kind: str
    state: str
    link: str
    short_number: str
    outcomes: str
    segments: int
    attempts: int
    smsc_id: str | None
    error: str | None
    queued_at: int
    accepted_at: int | None
    ended_at: int | None


def find(engine: Engine, id_: str, *, firm: int | None = None) -> Message | None:
    """The text of this id; None where there is none, or not of `firm`. Raises SQLAlchemyError."""
    t = schema.message
    query = select(*(t.c[name] for name in Message._fields)).where(t.c.id == id_)
    if firm is not None:
        query = query.where(t.c.firm_id == firm)
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else Message(*row)
