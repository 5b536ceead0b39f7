"""Audiences, blasts, and everybody whom they write to or call."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from gateway.store.sql.schema.base import Id, metadata

# Which shoppers of a firm: `definition` as gateway.domain.offers.audience has it.
audience = Table(
    "audience",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("definition", JSON, nullable=False),
    Column(
        "sample_below", BigInteger
    ),  # the place (gateway.domain.offers.sample) below which the sampled stand
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("firm_id", "name"),
    sqlite_autoincrement=True,
)

# The list that a firm has uploaded.
audience_member = Table(
    "audience_member",
    metadata,
    Column("audience_id", Id, ForeignKey("audience.id"), primary_key=True),
    Column("shopper_id", Id, ForeignKey("shopper.id"), primary_key=True),
    sqlite_with_rowid=False,
)

# One sending of offers. Its texts stand in `message`; `texts` are the words by language.
blast = Table(
    "blast",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("channel", String(5), nullable=False),  # sms | call
    Column("audience_id", Id, ForeignKey("audience.id"), nullable=False),
    Column("campaign_id", Id, ForeignKey("campaign.id"), nullable=False),
    Column("short_number", String(20), nullable=False),
    Column("texts", JSON, nullable=False),
    Column("fallback", String(2), nullable=False),
    Column("holdout", Integer, nullable=False),  # parts in a million
    Column("spread_s", Integer, nullable=False),  # over so many seconds; 0: as fast as it goes
    Column("error_share", Integer, nullable=False),  # failed parts in a million at which it pauses
    Column("starts_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("why", String(20)),  # it is paused, where nobody has asked for that
    Column("revision", Integer, nullable=False),  # of its state: Redis is never told an older one
    Column("created_at", BigInteger, nullable=False),
    Column("launched_at", BigInteger),
    Column("ended_at", BigInteger),
    # How far it is.
    Column("expected", BigInteger, nullable=False),  # shoppers of the audience, when it was launched
    Column("drawn", BigInteger, nullable=False),  # shoppers taken from the audience so far
    Column("texted", BigInteger, nullable=False),  # texts or calls made for them, those sent back included
    Column("last_shopper", BigInteger, nullable=False),  # the last taken: they come in the order of their ids
    Column("all_drawn", Integer, nullable=False),  # 1: the audience has no more
    Column("batch", Integer, nullable=False),  # the last that was written
    Column("paced_at", BigInteger),  # since when it runs, and how many had been drawn by then
    Column("paced_from", BigInteger, nullable=False),
    Column("failed_before", BigInteger, nullable=False),  # failures that its marketer has seen and accepted
    Column("last_activation", BigInteger, nullable=False),  # the last id before its launch
    Column("call", JSON),  # how it calls, as gateway.domain.offers.offer_call.CallPlan; none: it writes
    # A cascade: its recipients are those whom another blast of the firm has not reached.
    Column("follows", Id, ForeignKey("blast.id")),
    Column("follow_after_s", Integer),  # a text without a receipt for so long has not arrived
    Index("ix_blast_firm_id", "firm_id"),
    Index("ix_blast_state", "state"),
    sqlite_autoincrement=True,
)

DEFERRED = text("state = 'deferred'")

_UNTEXTED = text("state <> 'texted'")

# Everybody that a blast has looked at, once. What became of a text of theirs stands in `message`.
blast_recipient = Table(
    "blast_recipient",
    metadata,
    Column("blast_id", Id, ForeignKey("blast.id"), primary_key=True),
    Column("shopper_id", Id, ForeignKey("shopper.id"), primary_key=True),
    Column("state", String(9), nullable=False),  # as gateway.domain.offers.blast.Fate
    Column("reason", String(20)),
    Column("due_at", BigInteger),  # of a deferred one
    Column("message_id", String(40)),  # the last text made for them
    Index("ix_blast_recipient_due", "blast_id", "due_at", sqlite_where=DEFERRED, postgresql_where=DEFERRED),
    Index(
        "ix_blast_recipient_state",
        *("blast_id", "state", "reason"),
        sqlite_where=_UNTEXTED,
        postgresql_where=_UNTEXTED,
    ),
    sqlite_with_rowid=False,
)

# What a firm lets be said in its calls: sound as Asterisk plays it (WAV, 8 kHz, mono, 16 bits).
recording = Table(
    "recording",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("language", String(2), nullable=False),
    Column("source", String(8), nullable=False),  # uploaded | spoken
    Column("words", String(1000)),  # what was spoken
    Column("digest", String(64), nullable=False),  # SHA-256 of the sound
    Column("milliseconds", Integer, nullable=False),
    Column("sound", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("firm_id", "name", "language"),
    sqlite_autoincrement=True,
)

WAITING = text("state = 'waiting'")

CALLING = text("state = 'calling'")

# Everybody whom a blast calls, once: when next, or what came of it.
offer_call = Table(
    "offer_call",
    metadata,
    Column("blast_id", Id, ForeignKey("blast.id"), primary_key=True),
    Column("shopper_id", Id, ForeignKey("shopper.id"), primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("state", String(8), nullable=False),  # gateway.domain.offers.offer_call.CallState
    Column("due_at", BigInteger, nullable=False),  # not before this
    Column("attempts", Integer, nullable=False),  # that count
    Column("calls", Integer, nullable=False),  # that were begun: congestion is no attempt, and is a call
    Column("outcome", String(16)),  # of the last call, or why there will be none
    Column("reason", String(20)),  # why put off or denied, as gateway.domain.policy.verdict.Reason
    Column("ended_at", BigInteger),
    Index("ix_offer_call_due", "blast_id", "due_at", sqlite_where=WAITING, postgresql_where=WAITING),
    Index("ix_offer_call_calling", "blast_id", sqlite_where=CALLING, postgresql_where=CALLING),
    Index("ix_offer_call_outcome", "blast_id", "state", "outcome"),
    sqlite_with_rowid=False,
)

UNENDED = text("ended_at IS NULL")

# Each call that was begun, on disk before Asterisk is asked for it: no number, and no sound of it.
offer_call_record = Table(
    "offer_call_record",
    metadata,
    Column("id", String(40), primary_key=True),  # Asterisk's id of the call, which nobody can guess
    Column("blast_id", Id, ForeignKey("blast.id"), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("dialer", String(40), nullable=False),  # the process that began it
    Column("begun_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("outcome", String(16)),
    Column("cause", Integer),  # ITU-T Q.850
    Column("answered_by", String(8)),  # human | machine | unsure
    Column("keys", String(64)),  # pressed, in order
    Column("language", String(2), nullable=False),
    Index("ix_offer_call_record_person", "shopper_id", "blast_id"),
    Index("ix_offer_call_record_blast_id", "blast_id"),
    Index("ix_offer_call_record_unended", "dialer", sqlite_where=UNENDED, postgresql_where=UNENDED),
)
