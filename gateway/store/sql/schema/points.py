"""Activations, and the ledger of points."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from gateway.store.sql.schema.base import Id, metadata

activation = Table(
    "activation",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("campaign_id", Id, ForeignKey("campaign.id"), nullable=False),
    Column("space_id", Id, ForeignKey("code_space.id"), nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("channel", String(5), nullable=False),
    Column("message_id", String(32), nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    UniqueConstraint("space_id", "serial"),
    Index("ix_activation_shopper_id", "shopper_id", "firm_id"),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("reference", String(64), nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    UniqueConstraint("firm_id", "reference"),
)

balance = Table(
    "balance",
    metadata,
    Column("shopper_id", Id, ForeignKey("shopper.id"), primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("points", BigInteger, nullable=False),
    Index("ix_balance_firm_id", "firm_id", "shopper_id"),  # the shoppers of a firm, in the order of their ids
)

# Wrong codes of the last day, so that a lost Redis does not give a guesser a new budget.
wrong_code = Table(
    "wrong_code",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("shopper_key", String(22), nullable=False),
    Column("count", Integer, nullable=False),
    Column("said_at", BigInteger, nullable=False, index=True),
)
