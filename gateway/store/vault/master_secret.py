"""The one secret of a deployment: 32 bytes that go into every key.

It comes from the settings, from a file that they name, or from `<state_dir>/master.secret`, which is made on
the first run. Whoever loses it loses every sealed number and every code series, so that a second one is
never made where a ledger already stands.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from pathlib import Path

from config.section import SettingsError
from config.settings import Settings
from gateway.store.files import private_file
from gateway.store.files.private_file import OpenToOthers

LENGTH = 32  # bytes
FILE_NAME = "master.secret"
DATABASE_NAME = "undercap.db"


class MasterSecretError(SettingsError):
    """The master secret cannot be used; the message says what to do."""


def file_of(settings: Settings) -> Path:
    """The file in which the master secret stands, unless the settings carry it themselves."""
    return settings.master_secret_file or settings.state_dir / FILE_NAME


def find(settings: Settings) -> bytes | None:
    """The 32 bytes of the master secret; None if there is none and `load_or_make` would make it.

    Raises MasterSecretError: unreadable, open to others, not 64 hexadecimal digits, or missing beside a
    database that was sealed under it.
    """
    if settings.master_secret is not None:
        return _parsed(settings.master_secret.get_secret_value(), "master_secret")
    file = file_of(settings)
    try:
        return _read(file)
    except FileNotFoundError:
        _refuse_second(settings, file)
    except OSError as err:
        raise MasterSecretError(f"{file}: the master secret cannot be read: {err.strerror}") from err
    return None


def load_or_make(settings: Settings) -> bytes:
    """As `find`, but made, with mode 0600, where a deployment begins. Raises MasterSecretError."""
    found = find(settings)
    if found is None:
        file = file_of(settings)
        try:
            private_file.make(file, secrets.token_hex(LENGTH) + "\n")
        except OSError as err:
            raise MasterSecretError(f"{file}: the master secret cannot be made: {err.strerror}") from err
        found = _read(file)
    return found


def _read(file: Path) -> bytes:
    try:
        text = private_file.read(file)
    except OpenToOthers as err:
        raise MasterSecretError(f"{file}: others may read the master secret {err}") from err
    return _parsed(text, str(file))


def _parsed(text: str, where: str) -> bytes:
    try:
        value = bytes.fromhex(text.split("\n", 1)[0].strip())
    except ValueError:
        value = b""
    if len(value) != LENGTH:
        raise MasterSecretError(f"{where}: the master secret must be {2 * LENGTH} hexadecimal digits")
    return value


def _refuse_second(settings: Settings, file: Path) -> None:
    if settings.master_secret_file is not None:
        raise MasterSecretError(f"{file}: master_secret_file names a file that is not there")
    database = settings.state_dir / DATABASE_NAME
    if database.exists() and _holds_tables(database):
        raise MasterSecretError(
            f"{file}: the master secret is gone but {database} was sealed under it: "
            "put it back from your backup"
        )


def _holds_tables(database: Path) -> bool:
    """A file without tables was only looked at. What cannot be read counts as a ledger."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
        ) as opened:
            return bool(opened.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error:
        return True
