"""How the session with Asterisk's manager interface stands, for Prometheus."""

from __future__ import annotations

from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from ivr.ami.manager import Manager


class AmiMeters:
    """Of one manager; whoever runs it calls `write` about once a second, and flushes the meter."""

    def __init__(self, meter: Meter, manager: Manager) -> None:
        self._meter = meter
        self._manager = manager
        counted = (measures.AMI_RECONNECTS, measures.AMI_REFUSED, measures.AMI_STRAYS)
        for measure in (measures.AMI_UP, measures.AMI_QUIET_S, *counted):
            meter.declare(measure)

    def write(self) -> None:
        """What stands now, and what has happened since the last time."""
        meter, manager = self._meter, self._manager
        meter.gauge(measures.AMI_UP, manager.up.is_set())
        meter.gauge(measures.AMI_QUIET_S, manager.quiet_s)
        meter.total(measures.AMI_RECONNECTS, now=max(0, manager.sessions - 1))
        meter.total(measures.AMI_REFUSED, now=manager.refusals)
        meter.total(measures.AMI_STRAYS, now=manager.strays)
