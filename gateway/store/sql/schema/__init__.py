"""The ledger's tables (SQLAlchemy Core): what is true for years.

Times are milliseconds since 1970 UTC in `*_at` columns. A number stands only sealed, in `shopper`;
what an answer says stands sealed in `message` until its outcome is known.
"""

from __future__ import annotations

from gateway.store.sql.schema.base import Id, metadata
from gateway.store.sql.schema.calls import call_record
from gateway.store.sql.schema.codes import (
    campaign,
    campaign_short_number,
    code_series,
    code_space,
    print_batch,
    rule,
    short_number,
    space_short_number,
)
from gateway.store.sql.schema.consent import consent_ask, consent_entry, contact
from gateway.store.sql.schema.firms import api_key, firm
from gateway.store.sql.schema.integrity import deployment, settled
from gateway.store.sql.schema.offers import (
    CALLING,
    DEFERRED,
    UNENDED,
    WAITING,
    audience,
    audience_member,
    blast,
    blast_recipient,
    offer_call,
    offer_call_record,
    recording,
)
from gateway.store.sql.schema.people import alias, erasure, shopper, suppression
from gateway.store.sql.schema.points import activation, balance, ledger_entry, wrong_code
from gateway.store.sql.schema.texts import UNBEGUN, message, message_part, normal_id, queued
from gateway.store.sql.schema.vault import person_access, sealing_generation, vault_access

__all__ = [
    "CALLING",
    "DEFERRED",
    "UNBEGUN",
    "UNENDED",
    "WAITING",
    "Id",
    "activation",
    "alias",
    "api_key",
    "audience",
    "audience_member",
    "balance",
    "blast",
    "blast_recipient",
    "call_record",
    "campaign",
    "campaign_short_number",
    "code_series",
    "code_space",
    "consent_ask",
    "consent_entry",
    "contact",
    "deployment",
    "erasure",
    "firm",
    "ledger_entry",
    "message",
    "message_part",
    "metadata",
    "normal_id",
    "offer_call",
    "offer_call_record",
    "person_access",
    "print_batch",
    "queued",
    "recording",
    "rule",
    "sealing_generation",
    "settled",
    "shopper",
    "short_number",
    "space_short_number",
    "suppression",
    "vault_access",
    "wrong_code",
]
