"""What was said of consent, and who was contacted on it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
)

from gateway.store.sql.schema.base import Id, metadata

# What was said of consent, and never changed: the last one by `said_at` counts, of the same moment the no.
consent_entry = Table(
    "consent_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("channel", String(5), nullable=False),
    Column("purpose", String(10), nullable=False, server_default="marketing"),
    Column("state", String(9), nullable=False),  # given | withdrawn
    Column("how", String(10), nullable=False),  # sms | web | call | api | import | operator
    Column("message_id", String(32), nullable=False),  # the text, the call, or the row that it came with
    Column("wording", String(500)),  # what the person was shown
    Column("proof", String(200)),  # what else shows it, such as a form's number
    Column("actor", String(64), nullable=False, server_default="shopper"),
    Column("said_at", BigInteger, nullable=False),
    UniqueConstraint("message_id", "firm_id", "channel"),
    Index("ix_consent_entry_shopper_id", "shopper_id", "firm_id"),
)

# Whom a firm has asked for consent, once, at the end of a confirmation.
consent_ask = Table(
    "consent_ask",
    metadata,
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("shopper_id", Id, ForeignKey("shopper.id"), primary_key=True),
    Column("message_id", String(40), nullable=False),  # the answer that asked
    Column("wording", String(500), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
)

# Marketing that reached for a person, and what the gate allowed it on: why was this person contacted?
contact = Table(
    "contact",
    metadata,
    Column("id", String(40), primary_key=True),  # the message's or the call's
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("blast", String(40), nullable=False),
    Column("channel", String(5), nullable=False),
    Column("state", String(16), nullable=False),  # how the submit or the call ended, or that it is made now
    Column("consent", String(11), nullable=False),  # given | withdrawn | never asked
    Column("said_at", BigInteger, nullable=False),  # of that word; 0: there was none
    Column("pack", String(8), nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Index("ix_contact_shopper_id", "shopper_id", "firm_id"),
)
