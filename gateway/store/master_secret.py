"""The one secret of a deployment: 32 bytes from which every key is derived.

It comes from the settings, from a file that they name, or from `<state_dir>/master.secret`, which is made on
the first run. Whoever loses it loses every sealed number and every code series, so that a second one is
never made where a ledger already stands.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import stat
from pathlib import Path

from config.section import SettingsError
from config.settings import Settings
from gateway.store import state_dir

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
        _make(file)
        found = _read(file)
    return found


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        if mode & 0o077:
            raise MasterSecretError(
                f"{file}: others may read the master secret (mode {mode:04o}): chmod 600 {file}"
            )
        text = opened.read(1024).decode("ascii", errors="replace")
    return _parsed(text, str(file))


def _parsed(text: str, where: str) -> bytes:
    try:
        value = bytes.fromhex(text.strip())
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


def _make(file: Path) -> None:
    """Write a new secret so that a reader sees all of it or nothing, and two first runs agree on one."""
    state_dir.make(file.parent)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(secrets.token_hex(LENGTH).encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):  # another first run was quicker: its secret counts
            os.link(draft, file)
        _sync_directory(file.parent)
    except OSError as err:
        raise MasterSecretError(f"{file}: the master secret cannot be made: {err.strerror}") from err
    finally:
        draft.unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
