"""Who opened sealed numbers, and the generations of the keys that seal them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
)

from gateway.store.sql.schema.base import Id, metadata

# How many numbers a process opened, by purpose and minute.
vault_access = Table(
    "vault_access",
    metadata,
    Column("id", Id, primary_key=True),
    Column("process", String(20), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("minute_at", BigInteger, nullable=False),
)

# Who reached for one person's number by a command. Of somebody who is not known there is no shopper.
person_access = Table(
    "person_access",
    metadata,
    Column("id", Id, primary_key=True),
    Column("who", String(64), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id")),
    Column("accessed_at", BigInteger, nullable=False, index=True),
)

# Generations of sealing keys; their secrets stand in a file. A retired one opens nothing any more.
sealing_generation = Table(
    "sealing_generation",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
)
