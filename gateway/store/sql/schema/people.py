"""Shoppers, their aliases, and who was erased."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    text,
)

from gateway.store.sql.schema.base import Id, metadata

shopper = Table(
    "shopper",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "key", String(22), nullable=False, unique=True
    ),  # of nobody once erased: see gateway.store.people.erased_keys
    Column("number", LargeBinary, nullable=False),  # sealed for "shopper"; empty once erased
    Column("language", String(2)),  # of the last own text that told one, or chosen in a call
    Column("language_at", BigInteger),  # when it was told; NULL: before that was noted
    Column("prefix", String(5)),  # what the number begins with, to tell its region; NULL: not noted yet
    Column("created_at", BigInteger, nullable=False),
    Column("erased_at", BigInteger),
    sqlite_autoincrement=True,
)

_CURRENT = text("ends_at IS NULL")

_UNPROVED = text("told_at IS NOT NULL AND texted_at IS NULL")

# Aliases by the counters behind them: the digits are computed from `id`, never stored. Ids never come again,
# whatever becomes of the rows.
alias = Table(
    "alias",
    metadata,
    Column("id", Id, primary_key=True),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("message_id", String(32), unique=True),  # the text that it was given for; NULL: a call
    Column("ends_at", BigInteger),  # when it dies; NULL: the one that the person has now
    Column("told_at", BigInteger),  # last told by call, whose number can be forged
    Column("texted_at", BigInteger),  # a text from the person's number came after that
    Index("ix_alias_shopper_id", "shopper_id"),
    # A person has one at a time, whatever processes give the first one at once.
    Index("uq_alias_current", "shopper_id", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
    # Of the few that wait for a text: settlement asks it for every shopper.
    Index("ix_alias_unproved", "shopper_id", sqlite_where=_UNPROVED, postgresql_where=_UNPROVED),
    sqlite_autoincrement=True,
)

# Erasures. `key`, the person's index, stands until the erasure is complete, so that it can be completed.
erasure = Table(
    "erasure",
    metadata,
    Column("id", Id, primary_key=True),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("key", String(22), index=True),
    Column("begun_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)

# A person who was erased after a STOP is left alone still: of them this alone is kept.
suppression = Table(
    "suppression",
    metadata,
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("shopper_key", String(22), primary_key=True),
    Column("word", String(40), nullable=False),  # of refusal, as gateway.domain.consent.word has it
)
