"""The one directory in which a deployment on this machine keeps its state: private to its user."""

from __future__ import annotations

from pathlib import Path

from config.section import SettingsError


def make(directory: Path) -> None:
    """Make the state directory with mode 0700 if it is not there. Raises SettingsError."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as err:
        raise SettingsError(f"state_dir: {directory} cannot be made: {err.strerror}") from err
