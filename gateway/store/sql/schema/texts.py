"""Texts of ours and what became of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    literal_column,
    text,
)

from gateway.store.sql.schema.base import Id, metadata

queued = text("state = 'queued'")

UNBEGUN = text("state = 'queued' AND attempts = 0")


def normal_id(id_: Any) -> Any:
    """The form in which ids of an SMSC are compared: see gateway.domain.sms.receipt_ids."""
    return func.lower(func.ltrim(id_, literal_column("'0'")))


_OFFERED = text("blast_id IS NOT NULL")

# What was answered. `sealed` (text and number) lives until the outcome is known.
message = Table(
    "message",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("link", String(32), nullable=False),
    Column("short_number", String(20), nullable=False),
    Column("outcomes", String(120), nullable=False),
    Column("sealed", LargeBinary),
    Column("segments", Integer, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("smsc_id", String(65)),
    Column("error", String(64)),  # why it ended so: our words, or the SMSC's own code
    Column("queued_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),  # by the SMSC; a receipt counts so long after it
    Column("ended_at", BigInteger),
    Column("blast_id", Id),  # of an offer's text
    Index("ix_message_smsc_id", normal_id(text("smsc_id"))),
    Index("ix_message_blast_id", "blast_id", "state", sqlite_where=_OFFERED, postgresql_where=_OFFERED),
    # Of the few that wait alone: an index of every state would tempt SQLite away from the one above.
    Index("ix_message_queued", "firm_id", sqlite_where=queued, postgresql_where=queued),
)

# What the SMSC took of a text that needs several segments: each has an id and a receipt of its own.
message_part = Table(
    "message_part",
    metadata,
    Column("message_id", String(40), ForeignKey("message.id"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("link", String(32), nullable=False),
    Column("smsc_id", String(65), nullable=False),
    Column("state", String(10), nullable=False),  # accepted | delivered | failed | expired
    Column("accepted_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # by its receipt
    Index("ix_message_part_smsc_id", normal_id(text("smsc_id"))),
)
