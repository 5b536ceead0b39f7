"""What the SMPP process measures: texts, answers, receipts, the sessions of its links."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter, Tick
from gateway.store.texts.sendqueue import Sent
from gateway.store.vault.places import Purpose
from gateway.store.vault.vault import Vault
from smpp.intake.intake import RECEIPT_STATES, TEXT_OUTCOMES, Intake
from smpp.link.link import Link, LinkState
from smpp.sending.sender import Sender, SenderCounts
from smpp.session.counters import COUNTERS

FLUSH_EVERY_S = 1.0
RECEIPT = "receipt "  # what the intake says of a receipt begins with it
UNREADABLE = f"{RECEIPT}unreadable"
CLAIMS = {
    "C": "claimed",
    "R": "repeat",
    "P": "paused",
    "N": "not_started",
    "E": "ended",
    "V": "voided",
}
ENDS = tuple(field.name for field in fields(SenderCounts) if field.name != "possibly_doubled")


class TrafficMeters:
    """Told by the intake and the senders as it happens; reads the rest where it stands."""

    def __init__(self, meter: Meter, vault: Vault) -> None:
        self._meter = meter
        self._vault = vault
        self._texts: dict[tuple[str, str], Tick] = {}
        self._claims = {letter: meter.tick(measures.CLAIMS, "sms", word) for letter, word in CLAIMS.items()}

    def declare(self, links: Iterable[str]) -> None:
        """Links of the settings: what can be counted of them is shown from now on."""
        meter, names = self._meter, tuple(links)
        meter.declare(measures.TEXTS, names, TEXT_OUTCOMES)
        meter.declare(measures.ANSWERS, names, ENDS)
        meter.declare(measures.RECEIPTS, names, RECEIPT_STATES)
        meter.declare(measures.RECEIPT_OUTCOMES, names, (UNREADABLE.removeprefix(RECEIPT),))
        meter.declare(measures.SMPP, names, COUNTERS)
        for measure in (
            *(measures.RESPONSE_S, measures.DOUBLED, measures.LINK_BOUND, measures.SENDER_WAITING),
            *measures.LINK_LOAD,
        ):
            meter.declare(measure, names)
        meter.declare(measures.INTAKE_WAITING)
        meter.declare(measures.OPENINGS, Purpose)

    def text(self, outcome: str, link: str, codes: Sequence[str], seconds: float | None) -> None:
        """A text or a receipt; `codes`: the claim function's letters. `seconds`: to its response."""
        tick = self._texts.get((link, outcome))
        if tick is None:
            tick = self._texts[link, outcome] = self._text_tick(link, outcome)
        tick.n += 1
        for code in codes:
            self._claims[code[0]].n += 1
        if seconds is not None:
            self._meter.observe(measures.RESPONSE_S, seconds, link)

    def answer(self, link: str, sent: Sent) -> None:
        """An answer that ended."""
        self._meter.count(measures.ANSWERS, link, sent.state)

    def stopped(self, link: Link) -> None:
        """A link is gone, for now or for good; what it counted since it was last written stays."""
        self._write_tally(link)
        for measure in (*measures.LINK_LOAD, measures.LINK_BOUND, measures.SENDER_WAITING):
            self._meter.gauge(measure, 0, link.name)

    async def run(self, links: Sequence[Link], senders: Mapping[str, Sender], intake: Intake) -> None:
        """Write about once a second until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            self.write(links, senders, intake)

    def write(self, links: Sequence[Link], senders: Mapping[str, Sender], intake: Intake) -> None:
        """Write now."""
        meter = self._meter
        for link in links:
            self._write_tally(link)
            for measure, waiting in zip(measures.LINK_LOAD, link.tally.load(), strict=True):
                meter.gauge(measure, waiting, link.name)
            meter.gauge(measures.LINK_BOUND, link.state is LinkState.BOUND, link.name)
            sender = senders[link.name]
            meter.total(measures.DOUBLED, link.name, now=sender.counts.possibly_doubled)
            meter.gauge(measures.SENDER_WAITING, sender.backlog, link.name)
        meter.gauge(measures.INTAKE_WAITING, intake.backlog)
        for purpose, opened in self._vault.opened.items():
            meter.total(measures.OPENINGS, purpose, now=opened)
        meter.flush()

    def _write_tally(self, link: Link) -> None:
        for name in COUNTERS:
            now: int = getattr(link.tally, name)
            self._meter.total(measures.SMPP, link.name, name, now=now)

    def _text_tick(self, link: str, outcome: str) -> Tick:
        if outcome == UNREADABLE:
            return self._meter.tick(measures.RECEIPT_OUTCOMES, link, outcome.removeprefix(RECEIPT))
        if outcome.startswith(RECEIPT):
            return self._meter.tick(measures.RECEIPTS, link, outcome.removeprefix(RECEIPT))
        return self._meter.tick(measures.TEXTS, link, outcome)
