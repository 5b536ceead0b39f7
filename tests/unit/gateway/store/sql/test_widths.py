"""Columns are as wide as what is written to them: every closed set of words, every text put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
import pytest
from sqlalchemy import String

from campaigns.fan_out.error_threshold import WHY
from campaigns.lifecycle.lifecycle import FORBIDDEN
from config.texts import LANGUAGES
from gateway.domain.codes.alphabet import ALPHABETS
from gateway.domain.consent.word import Channel, Consent
from gateway.domain.offers.blast import Fate, State
from gateway.domain.offers.offer_call import CallState, Outcome
from gateway.domain.offers.offer_ids import MOST_BLASTS, asked_id, offer_id
from gateway.domain.offers.recording import MOST_WORDS, Source
from gateway.domain.policy.verdict import Reason
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.entry.cli import cli
from gateway.store.consent import consents
from gateway.store.sql import schema
from gateway.store.texts import receipts
from gateway.usecases.firms import set_up
from gateway.usecases.people import person
from ivr.agi.faults import Fault
from ivr.talk.caller import Sight
from ivr.talk.steps import CallEnd, Service
from smpp.protocol.receipts import Receipt, ReceiptState

FIRM = 2**31  # more firms there will not be
ENDS = ("queued", "accepted", "failed", "expired", "unknown", "denied", "deferred", "delivered")
SENDER = (
    *("no response", "no response twice", "waited too long", "seal broken", "too many segments"),
    *("refused until too old", f"0x{2**32 - 1:x}", f"0x{2**32 - 1:x}, {10**9} times"),
)
RECEIPTS = [Receipt("", state, "x" * 16).cause or "" for state in ReceiptState]
TEXT = message_id(2**47, bytes(RANDOM_OCTETS))
ANSWERS = (
    f"{TEXT}.{FIRM}",
    offer_id(MOST_BLASTS, 2**32 - 1, 2**32 - 1, firm=FIRM),
    asked_id(MOST_BLASTS, 2**63, firm=FIRM),
)
REASONS = (*Reason, *Outcome)


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """As the access log names them."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from commands(found, (*path, name))
    else:
        yield " ".join(path)


WRITTEN: dict[str, Iterable[str]] = {
    "message.id": ANSWERS,
    "message.state": ENDS,
    "message.error": (*SENDER, *RECEIPTS, *Reason, "x" * receipts.MOST_ERROR),
    "message.smsc_id": ("x" * receipts.MOST_SMSC_ID,),
    "message_part.message_id": ANSWERS,
    "message_part.state": ENDS,
    "message_part.smsc_id": ("x" * receipts.MOST_SMSC_ID,),
    "contact.id": ANSWERS,
    "contact.channel": Channel,
    "contact.state": (*ENDS, *Outcome),
    "contact.consent": Consent,
    "consent_entry.channel": Channel,
    "consent_entry.state": (Consent.GIVEN, Consent.WITHDRAWN),
    "consent_entry.how": ("sms", "web", "call", "api", "import", "operator"),
    "consent_entry.message_id": (TEXT,),
    "consent_entry.wording": ("x" * consents.MOST_WORDING,),
    "consent_entry.proof": ("x" * consents.MOST_PROOF,),
    "consent_entry.actor": ("x" * consents.MOST_ACTOR, f"firm {FIRM}"),
    "consent_ask.message_id": ANSWERS,
    "activation.channel": ("sms", "web", "api", "call"),
    "ledger_entry.reference": (f"activation:{2**63}:{2**63}",),
    "settled.outbox_id": (f"{2**63}-{10**9}",),
    "blast.channel": Channel,
    "blast.state": State,
    "blast.why": (WHY, FORBIDDEN),
    "blast_recipient.state": Fate,
    "blast_recipient.reason": REASONS,
    "blast_recipient.message_id": ANSWERS,
    "offer_call.state": CallState,
    "offer_call.outcome": Outcome,
    "offer_call.reason": Reason,
    "offer_call_record.outcome": Outcome,
    "offer_call_record.answered_by": ("human", "machine", "unsure"),
    "call_record.caller": Sight,
    "call_record.outcome": CallEnd,
    "call_record.fault": Fault,
    "call_record.services": (",".join(Service),),
    "code_space.alphabet": ALPHABETS,
    "recording.source": Source,
    "recording.words": ("x" * MOST_WORDS,),
    "shopper.language": LANGUAGES,
    "firm.name": ("x" * set_up.MOST_NAME,),
    "api_key.name": ("x" * set_up.MOST_KEY_NAME,),
    "vault_access.process": ("smpp", "api", "ivr", "worker", "rebuild", *commands(cli)),
    "person_access.purpose": (person.WHY, person.DATA),
}


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_what_is_written_fits(name: str) -> None:
    table, column = name.split(".")
    kind = schema.metadata.tables[table].columns[column].type
    assert isinstance(kind, String)
    assert kind.length is not None
    assert [word for word in WRITTEN[name] if len(word) > kind.length] == []
