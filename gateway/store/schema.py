"""The ledger's tables (SQLAlchemy Core): what is true for years.

Times are milliseconds since 1970 UTC in `*_at` columns. A number stands only sealed, in `shopper`;
what an answer says stands sealed in `message` until its outcome is known.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite numbers rows only in a column of type INTEGER; elsewhere ids are 64 bits wide.
Id = BigInteger().with_variant(Integer, "sqlite")

deployment = Table(
    "deployment",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

firm = Table(
    "firm",
    metadata,
    Column("id", Id, primary_key=True),
    Column("slug", String(32), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("name", String(40)),  # which till or page it is for
    Column("digest", String(22), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

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
    Column("created_at", BigInteger, nullable=False),
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

shopper = Table(
    "shopper",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(22), nullable=False, unique=True),  # of nobody once erased: see gateway.store.nobody
    Column("number", LargeBinary, nullable=False),  # sealed for "shopper"; empty once erased
    Column("language", String(2)),
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
)

consent_entry = Table(
    "consent_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("firm_id", Id, ForeignKey("firm.id"), nullable=False),
    Column("shopper_id", Id, ForeignKey("shopper.id"), nullable=False),
    Column("channel", String(5), nullable=False),
    Column("state", String(9), nullable=False),  # given | withdrawn
    Column("how", String(10), nullable=False),
    Column("message_id", String(32), nullable=False),
    Column("said_at", BigInteger, nullable=False),
    UniqueConstraint("message_id", "firm_id", "channel"),
    Index("ix_consent_entry_shopper_id", "shopper_id", "firm_id"),
)

queued = text("state = 'queued'")

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
    Column("error", String(20)),
    Column("queued_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),  # by the SMSC; a receipt counts so long after it
    Column("ended_at", BigInteger),
    Index("ix_message_smsc_id", "smsc_id"),
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
    Index("ix_message_part_smsc_id", "smsc_id"),
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

# How far each outbox is settled: a Redis whose stream ends before this has lost something.
settled = Table(
    "settled",
    metadata,
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("outbox_id", String(32), nullable=False),
)

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
    Column("said_at", BigInteger, nullable=False),
)
