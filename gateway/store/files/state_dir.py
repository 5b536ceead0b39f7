"""The one directory in which a deployment on this machine keeps its state: private to its user."""

from __future__ import annotations

import os
from pathlib import Path

from config.section import SettingsError


def make(directory: Path) -> None:
    """Make the state directory with mode 0700 if it is not there. Raises SettingsError."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as err:
        raise SettingsError(f"state_dir: {directory} cannot be made: {err.strerror}") from err


def holds(file: Path) -> bool:
    """Whether a file of the state is there. Raises SettingsError where this user may not use it."""
    try:
        file.stat()
    except FileNotFoundError:
        return False
    except OSError as err:
        raise SettingsError(f"{file}: {err.strerror}: {_MEND}") from err
    if not os.access(file, os.R_OK | os.W_OK):
        raise SettingsError(f"{file}: this user cannot write to it: {_MEND}")
    return True


_MEND = "run it as the user of `undercap up`, or set UNDERCAP_STATE_DIR"
