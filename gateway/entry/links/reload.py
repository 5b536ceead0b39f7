"""SIGHUP: the settings are read again, and the links follow them; with a fault all stays as it was."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import structlog

from config import settings as settings_module
from config.section import SettingsError
from config.settings import Settings
from gateway.entry.links.links import Links

log = structlog.get_logger()


class Reload:
    """Reads the settings again each time it is asked to. `applied`: told the settings that are good."""

    def __init__(self, settings: Settings, links: Links, applied: Callable[[Settings], None]) -> None:
        self._settings = settings
        self._links = links
        self._applied = applied
        self._asked = asyncio.Event()

    def on_signal(self) -> None:
        """From now on SIGHUP asks for it."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)

    async def run(self) -> None:
        """Until cancelled; what is asked for meanwhile is done next."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._once()

    async def _once(self) -> None:
        try:
            settings = await asyncio.to_thread(settings_module.load)
        except SettingsError as err:
            faults = str(err).splitlines()
            log.error("settings not reloaded: the old ones stay", faults=faults, count=len(faults))
            return
        later = _wait_for_a_restart(self._settings, settings)
        if later:
            log.warning("settings that take effect with the next start only", changed=later)
        self._applied(settings)
        changes = await self._links.follow(settings.links)
        log.info("settings reloaded", **{word: list(names) for word, names in changes._asdict().items()})


def _wait_for_a_restart(before: Settings, after: Settings) -> list[str]:
    """What has changed beside the links."""
    names = [name for name in Settings.model_fields if name != "smpp"]
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    if before.smpp.model_copy(update={"links": ()}) != after.smpp.model_copy(update={"links": ()}):
        changed.append("smpp")
    return changed
