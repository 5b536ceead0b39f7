"""What `up --demo` runs with beyond the settings file, kept for commands in another terminal.

The demo's simulator, Asterisk, voice and ports are in the environment of its own processes. A command that is
typed beside it would know no link to an operator and no espeak-ng.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from config import settings as settings_module
from config.settings import Settings
from gateway.store.files import private_file
from gateway.store.files.private_file import OpenToOthers

_FILE: Final = "demo-settings.json"
_PREFIX: Final = "UNDERCAP_"
_OWN: Final = ("UNDERCAP_CONFIG", "UNDERCAP_STATE_DIR")  # by which a command finds the file


def keep(settings: Settings) -> None:
    """Keep the settings of this process' environment in the state directory. Raises OSError."""
    told = {k: v for k, v in os.environ.items() if k.startswith(_PREFIX) and k not in _OWN}
    private_file.replace(_place(settings), json.dumps(told, indent=1) + "\n")


def forget(settings: Settings) -> None:
    """It is no demo (any more). Raises OSError."""
    _place(settings).unlink(missing_ok=True)


def joined(settings: Settings) -> Settings:
    """With what a demo in the same state directory runs with; the environment of this process wins.

    Where there are links to operators it is none of theirs. Raises SettingsError.
    """
    if settings.links:
        return settings
    try:
        told = json.loads(private_file.read(_place(settings)))
    except (OSError, OpenToOthers, ValueError):
        return settings
    absent = {name: value for name, value in told.items() if name not in os.environ}
    os.environ.update(absent)  # where settings are read from, and no longer than that
    try:
        return settings_module.load()
    finally:
        for name in absent:
            del os.environ[name]


def _place(settings: Settings) -> Path:
    return settings.state_dir / _FILE
