"""What a dialer measures, and the one line in the log of each call: neither has a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from config.logging import canonical
from gateway.domain.offers.offer_call import Outcome
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from ivr.dialer.call import OfferCall

NOT_MADE: Final = "not_made"  # begun on disk, and then Asterisk was not asked for it


class DialMeters:
    """`live`: calls now; `share`: of the rates, now."""

    def __init__(self, meter: Meter, live: Callable[[], int], share: Callable[[], float]) -> None:
        self._meter = meter
        self._live = live
        self._share = share
        meter.declare(measures.OFFER_CALLS, (*Outcome, NOT_MADE))
        meter.declare(measures.OFFER_CALLS_NOW)
        meter.declare(measures.DIAL_SHARE)

    def ended(self, call: OfferCall, ended: Ended) -> None:
        """A call that is over."""
        outcome = ended.outcome.value if ended.outcome else NOT_MADE
        self._meter.count(measures.OFFER_CALLS, outcome)
        canonical(
            "offer_call",
            id=call.id,
            blast=call.due.blast_id,
            attempt=call.due.attempts + 1,
            outcome=outcome,
            cause=ended.cause,
            sip=ended.sip,
            answered_by=ended.answered_by,
            talked_s=_seconds(ended),
        )

    def write(self) -> None:
        """What stands now."""
        self._meter.gauge(measures.OFFER_CALLS_NOW, self._live())
        self._meter.gauge(measures.DIAL_SHARE, self._share())


def _seconds(ended: Ended) -> float | None:
    return None if ended.answered_at is None else max(0, ended.ended_at - ended.answered_at) / 1000
