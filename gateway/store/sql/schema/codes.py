"""Campaigns, their rules, and the codes that are printed."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    false,
)

from gateway.store.sql.schema.base import Id, metadata

short_number = Table(
    "short_number",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("host_firm_id", Id, ForeignKey("firm.id"), nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("language", String(2), nullable=False),
    Column("timezone", String(40), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("texts", JSON, nullable=False),
    Column("asks_consent", Boolean, nullable=False, server_default=false()),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),  # grows with each change
    sqlite_autoincrement=True,
)

campaign_short_number = Table(
    "campaign_short_number",
    metadata,
    Column("campaign_id", Id, ForeignKey("campaign.id"), primary_key=True),
    Column("number", String(20), ForeignKey("short_number.number"), primary_key=True),
)

# A version of an earning rule never changes: a claim names it, and settles by it years later.
rule = Table(
    "rule",
    metadata,
    Column("campaign_id", Id, ForeignKey("campaign.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("points", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

code_space = Table(
    "code_space",
    metadata,
    Column("id", Id, primary_key=True),
    Column("alphabet", String(10), nullable=False),
    Column("length", Integer, nullable=False),
    Column("next_serial", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# One space per alphabet and length at a short number.
space_short_number = Table(
    "space_short_number",
    metadata,
    Column("space_id", Id, ForeignKey("code_space.id"), primary_key=True),
    Column("number", String(20), ForeignKey("short_number.number"), primary_key=True),
)

code_series = Table(
    "code_series",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", Id, ForeignKey("code_space.id"), nullable=False),
    Column("campaign_id", Id, ForeignKey("campaign.id"), nullable=False),
    Column("first_serial", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

print_batch = Table(
    "print_batch",
    metadata,
    Column("id", Id, primary_key=True),
    Column("series_id", Id, ForeignKey("code_series.id"), nullable=False),
    Column("first_serial", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("voided_at", BigInteger),
    sqlite_autoincrement=True,
)
