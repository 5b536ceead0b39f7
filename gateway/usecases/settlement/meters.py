"""What the worker measures: settlements, their outcomes and their age, what receipts match."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.domain.answers.outcome import Outcome
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from gateway.store.vault.places import Purpose
from gateway.store.vault.vault import Vault
from gateway.usecases.settlement.draining import Drained
from gateway.usecases.settlement.match_receipts import Match
from gateway.usecases.settlement.settle import Settled

CHANNELS: Final = ("sms", "web", "api", "call")  # by which what is settled has come


class SettlingMeters:
    """Counted by the thread that settles; written by the sweep."""

    def __init__(self, vault: Vault) -> None:
        self.meter = Meter()
        self._vault = vault

    def declare(self, links: Iterable[str]) -> None:
        """All that a worker can count is shown from now on; `links`: whose receipts it matches."""
        meter = self.meter
        for measure in (
            *(measures.BATCHES, measures.SETTLED, measures.SETTLED_AFTER_S, measures.BATCH_S),
            *(measures.DEAD, measures.LEDGER_AWAY),
        ):
            meter.declare(measure)
        meter.declare(measures.OUTCOMES, CHANNELS, Outcome)
        meter.declare(measures.SILENCED, CHANNELS)
        meter.declare(measures.RECEIPT_OUTCOMES, links, Match)
        meter.declare(measures.NUDGES, ("sweep",))
        meter.declare(measures.OPENINGS, Purpose)

    def settled(self, done: Sequence[Settled], now_ms: float) -> None:
        """A batch that was written and ended."""
        meter = self.meter
        meter.count(measures.BATCHES)
        meter.count(measures.SETTLED, n=len(done))
        meter.observe(measures.SETTLED_AFTER_S, max(0.0, now_ms - done[0].accepted.at) / 1000)
        for one in done:
            for outcome in one.outcomes:
                meter.count(measures.OUTCOMES, one.accepted.channel, outcome)
            if one.reply is None:
                meter.count(measures.SILENCED, one.accepted.channel)

    def passed(self, drained: Drained, link: str) -> None:
        """One pass over a firm, or over the receipts of a link."""
        if drained.settled:
            self.meter.observe(measures.BATCH_S, drained.seconds)
        if drained.dead:
            self.meter.count(measures.DEAD, n=drained.dead)
        for outcome, n in drained.receipts.items():
            self.meter.count(measures.RECEIPT_OUTCOMES, link, outcome, n=n)

    def ledger_away(self) -> None:
        """A settlement was put off."""
        self.meter.count(measures.LEDGER_AWAY)

    def nudged(self) -> None:
        """The sweep asked for a settlement that nobody else had asked for."""
        self.meter.count(measures.NUDGES, "sweep")

    def write(self) -> None:
        """Write what was gathered."""
        for purpose, opened in list(self._vault.opened.items()):
            self.meter.total(measures.OPENINGS, purpose, now=opened)
        self.meter.flush()
