"""What the blasts of this process did, for the metrics page. Written by the sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.store import measures
from gateway.store.metrics import Meter
from gateway.store.recipients import Drawn


class BlastMeters:
    """Counted by the thread that fans out."""

    def __init__(self) -> None:
        self.meter = Meter()

    def drawn(self, batch: Sequence[Drawn]) -> None:
        """A batch that was written."""
        self.meter.count(measures.OFFER_BATCHES)
        for (fate, reason), n in Counter((d.fate.value, d.reason or "") for d in batch).items():
            self.meter.count(measures.OFFERS, fate, reason, n=n)
