"""What the IVR process measures: calls, keys, seconds, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from config.logging import canonical
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from ivr.agi.faults import Fault
from ivr.talk.caller import Sight
from ivr.talk.record import CallRecord
from ivr.talk.steps import CallEnd, Service


class CallMeters:
    """Told by the server and the talk as it happens; `write` does the rest."""

    def __init__(self, meter: Meter, calls: Callable[[], int]) -> None:
        """`calls`: how many there are now."""
        self._meter = meter
        self._calls = calls

    def declare(self, languages: Iterable[str]) -> None:
        """All that can be counted of calls is shown from now on; `languages`: that callers hear."""
        meter = self._meter
        meter.declare(measures.CALLS, CallEnd, Sight, languages)
        meter.declare(measures.CALL_KEYS, (*"0123456789", *_KEYS.values()))
        meter.declare(measures.CALL_SERVICES, Service)
        meter.declare(measures.AGI_FAULTS, Fault)
        meter.declare(measures.CALL_SECONDS)
        meter.declare(measures.CALLS_NOW)

    def ended(self, record: CallRecord) -> None:
        """A call that is over: counted, and its one line in the log.

        Written at once, so that of a process that is killed the calls that were over have been counted.
        """
        meter = self._meter
        meter.count(measures.CALLS, str(record.end), str(record.sight), record.language)
        for key in record.keys:
            meter.count(measures.CALL_KEYS, _KEYS.get(key, key))
        for service in record.services:
            meter.count(measures.CALL_SERVICES, str(service))
        if record.answered_at is not None:
            meter.count(measures.CALL_SECONDS, n=round(record.talked_s))
        meter.flush()
        canonical("call", **describe(record))

    def fault(self, fault: Fault) -> None:
        """A connection that was given up."""
        self._meter.count(measures.AGI_FAULTS, str(fault))

    def write(self) -> None:
        """Write now."""
        self._meter.gauge(measures.CALLS_NOW, self._calls())
        self._meter.flush()


_KEYS = {"*": "star", "#": "hash"}


def describe(record: CallRecord) -> dict[str, object]:
    """A call's line in the log."""
    waited = (record.answered_at or record.ended_at) - record.started_at
    return {
        "id": record.id,
        "free_number": record.free_number,
        "caller": str(record.sight),
        "language": record.language,
        "outcome": str(record.end),
        "fault": record.fault and str(record.fault),
        "keys": record.keys,
        "services": " ".join(record.services),
        "answered_ms": waited if record.answered_at is not None else None,
        "talked_s": record.talked_s,
    }
