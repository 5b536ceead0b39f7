"""Winning consent by text: which confirmation ends with our question, and what a yes to it agreed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from config import texts
from gateway.domain.answers.answers import Situation, consent_question
from gateway.domain.answers.outcome import Outcome
from gateway.domain.codes.catalog import Campaign
from gateway.domain.consent.word import Consent
from gateway.domain.reading.keywords import Intent
from gateway.store.consent import consents
from gateway.store.consent.consents import Ask, Entry
from gateway.store.people import erasures
from gateway.store.texts.outbox import Accepted
from gateway.usecases.settlement.answering import Desk, language_of


class Asker:
    """Of one batch of a firm's texts. `shoppers`: shopper key -> id."""

    def __init__(
        self, connection: Connection, accepted: Sequence[Accepted], shoppers: Mapping[str, int], desk: Desk
    ) -> None:
        firm_id = accepted[0].firm_id
        keys = sorted({a.shopper for a in accepted if _could_ask(a, desk)})
        refused = erasures.refused_before(connection, firm_id, keys) if keys else set()
        may = {shoppers[key] for key in keys if key not in refused}
        self._new = may - consents.known_to(connection, firm_id, may) if may else set()
        self._before = consents.asked(connection, firm_id, may) if may else {}
        self._asks: dict[int, Ask] = {}

    def asks(self, text: Accepted, shopper: int, told: Situation, campaign: Campaign | None) -> bool:
        """Whether the answer to a text asks: to a text that was credited, once for a person and firm."""
        if campaign is None or not campaign.asks_consent or text.consent or text.muted:
            return False
        if not any(code.outcome is Outcome.ACTIVATED for code in told.codes):
            return False
        answer = f"{text.message_id}.{text.firm_id}"
        before = self._before.get(shopper)
        if before is not None:  # the same text, settled before a crash
            return before.message_id == answer
        if shopper not in self._new:
            return False
        self._new.discard(shopper)
        wording = consent_question(texts.load(language_of(text, campaign)))
        self._asks[shopper] = Ask(answer, wording, text.at)
        return True

    def note(self, connection: Connection, firm_id: int) -> None:
        """Keep whom this batch asks."""
        if self._asks:
            consents.ask(connection, firm_id, self._asks)


def entries(
    connection: Connection, accepted: Sequence[Accepted], shoppers: Mapping[str, int], desk: Desk
) -> None:
    """Append what texts, calls and pages said of consent, of the channels that they speak of."""
    said = [text for text in accepted if text.consent]
    if not said:
        return
    yes = [shoppers[text.shopper] for text in said if text.consent == "in"]
    asked = consents.asked(connection, said[0].firm_id, yes)
    rows = []
    for text in said:
        shopper = shoppers[text.shopper]
        rows += [consents.row(entry, shopper) for entry in _entries(text, asked.get(shopper), desk)]
    consents.record(connection, rows)


def _entries(text: Accepted, ask: Ask | None, desk: Desk) -> list[Entry]:
    in_time = ask is not None and 0 <= text.at - ask.asked_at <= desk.consent_reply_ms
    answers = text.consent == "in" and Intent.YES in text.services and in_time
    return [
        Entry(
            firm_id=text.firm_id,
            channel=channel,
            state=Consent.WITHDRAWN if text.consent == "out" else Consent.GIVEN,
            how=text.channel,
            source=text.message_id,
            wording=ask.wording if ask is not None and answers else None,
            proof=None,
            actor="shopper",
            said_at=text.said_at,
        )
        for channel in text.speaks_of
    ]


def _could_ask(text: Accepted, desk: Desk) -> bool:
    if text.consent or text.muted:
        return False
    campaigns = desk.catalog.campaigns
    return any(
        result[0] == "C" and campaigns[code[2]].asks_consent
        for code, result in zip(text.codes, text.results, strict=False)
    )
