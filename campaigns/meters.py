"""What the blasts of this process did, for the metrics page. Written by the sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from campaigns.fan_out.by_call import BAD_NUMBER
from campaigns.fan_out.by_text import LINK_FULL, NO_LINK
from campaigns.fan_out.fan_out import ERASED
from campaigns.fan_out.opening import SEAL_BROKEN
from gateway.domain.offers.blast import Fate
from gateway.domain.policy.verdict import FOR_GOOD, UNTIL_LATER
from gateway.store.offers.recipients import Drawn
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter


class BlastMeters:
    """Counted by the thread that fans out."""

    def __init__(self) -> None:
        self.meter = Meter()

    def open(self, directory: Path) -> None:
        """Start to measure; what can be counted is shown from now on."""
        meter = self.meter
        meter.open(directory, "blasts")
        meter.declare(measures.OFFER_BATCHES)
        meter.declare(measures.OFFERS, (Fate.TEXTED, Fate.CALLED, Fate.HELD), ("",))
        meter.declare(measures.OFFERS, (Fate.DENIED,), (*FOR_GOOD, ERASED, SEAL_BROKEN, NO_LINK, BAD_NUMBER))
        meter.declare(measures.OFFERS, (Fate.DEFERRED,), (*UNTIL_LATER, LINK_FULL))
        meter.flush()

    def drawn(self, batch: Sequence[Drawn]) -> None:
        """A batch that was written."""
        self.meter.count(measures.OFFER_BATCHES)
        for (fate, reason), n in Counter((d.fate.value, d.reason or "") for d in batch).items():
            self.meter.count(measures.OFFERS, fate, reason, n=n)
