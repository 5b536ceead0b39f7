"""The ledger's tables (SQLAlchemy Core): what is true for years.

Times are milliseconds since 1970 UTC in `*_at` columns. A number stands only sealed, in `shopper`;
what an answer says stands sealed in `message` until its outcome is known.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
    func,
    literal_column,
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
    # There is one, whatever machines begin it at once.
    Column("place", Integer, nullable=False, server_default="1"),
    Column("master_print", String(32)),  # fingerprint of the master secret; NULL: nobody has noted it yet
    UniqueConstraint("place", name="deployment_place_key"),
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

# How far a firm's outbox is settled, and what became of texts filed; how many changes of consent by no text
# its Redis had counted when the last was written. A Redis that is behind any of these has lost something.
settled = Table(
    "settled",
    metadata,
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("outbox_id", String(32), nullable=False),
    Column("results_id", String(32), nullable=False, server_default="0-0"),
    Column("changes", BigInteger, nullable=False, server_default="0"),
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
    Column("word", String(40), nullable=False),  # of refusal, as gateway.domain.consent.word has it
)

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
