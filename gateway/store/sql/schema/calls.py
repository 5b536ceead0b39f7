"""Calls to a free number."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    String,
    Table,
)

from gateway.store.sql.schema.base import Id, metadata

# A call to a free number, at its end (CDR): no number, no alias, no code, nobody that it could be joined to.
call_record = Table(
    "call_record",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id")),  # host of the short number; none: nobody has it yet
    Column("free_number", String(15), nullable=False),
    Column("caller", String(10), nullable=False),  # how well the number was seen
    Column("language", String(2), nullable=False),
    Column("keys", String(64), nullable=False),  # pressed in menus, sorted
    Column("services", String(80), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("fault", String(10)),
    Column("started_at", BigInteger, nullable=False, index=True),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger, nullable=False),
)
