"""Whether Asterisk lives, for an IVR process that only takes calls: it would hear nothing of its end."""

from __future__ import annotations

from collections.abc import Awaitable

from config.ivr_settings import AmiSettings
from gateway.store.telemetry.metrics import Meter
from ivr.ami.manager import Manager
from ivr.ami.meters import AmiMeters


def told(manager: Manager) -> str:
    """What is wrong with the session, in a sentence for an operator; empty while it stands."""
    return f"Asterisk's manager interface: {manager.fault}" if manager.fault else ""


class AsteriskWatch:
    """A session with the manager interface that asks for nothing. Without a secret there can be none."""

    def __init__(self, settings: AmiSettings, meter: Meter) -> None:
        self._manager = Manager(settings) if settings.secret.get_secret_value() else None
        self._meters = AmiMeters(meter, self._manager) if self._manager else None

    @property
    def fault(self) -> str:
        """Empty while nothing is known to be wrong."""
        return told(self._manager) if self._manager else ""

    def works(self) -> tuple[Awaitable[None], ...]:
        """Each until cancelled, or the end."""
        return (self._manager.run(),) if self._manager else ()

    async def end(self, talks: Awaitable[None]) -> None:
        """Log off once the talks have ended."""
        await talks
        if self._manager:
            await self._manager.stop()

    def write(self) -> None:
        """What stands now, for the process's meter."""
        if self._meters:
            self._meters.write()
