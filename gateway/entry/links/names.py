"""The names of all links since this process started: what is left of a removed one counts, too."""

from __future__ import annotations

import os
import threading

from config import settings as settings_module
from config.section import SettingsError
from config.settings import Settings


class LinkNames:
    """Looks whether the settings file has changed, since links come with a reload. For any thread."""

    def __init__(self, settings: Settings) -> None:
        self._names = {link.name: link.receipt_ids for link in settings.links}
        self._accounts = _accounts(settings)
        self._seen = _stamp()
        self._lock = threading.Lock()

    def __call__(self) -> dict[str, str]:
        """The names now, with how receipts name messages there; settings with a fault change nothing."""
        with self._lock:
            stamp = _stamp()
            if stamp != self._seen:
                self._seen = stamp
                self._add()
            return dict(self._names)

    def accounts(self) -> dict[str, frozenset[str]]:
        """The names, each with those of its account at the operator, where it has one; as last read."""
        with self._lock:
            return {
                name: frozenset(other for other, account in self._accounts.items() if account == own)
                for name, own in self._accounts.items()
            }

    def _add(self) -> None:
        try:
            settings = settings_module.load()
        except SettingsError:  # the smpp process tells the faults
            return
        self._names |= {link.name: link.receipt_ids for link in settings.links}
        self._accounts |= _accounts(settings)


def _accounts(settings: Settings) -> dict[str, str]:
    return {link.name: link.account for link in settings.links if link.account}


def _stamp() -> tuple[int, int, int] | None:
    file = settings_module.default_file()
    try:
        found = os.stat(file) if file is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
