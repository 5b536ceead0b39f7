"""The manifest of a backup: what it holds, of which moment, with a digest of every file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FILE_NAME: Final = "manifest.json"
FORM: Final = 1
SQLITE: Final = "undercap.db"
POSTGRES: Final = "undercap.pgdump"
REDIS: Final = "redis.rdb"
SECRET: Final = "master.secret"  # noqa: S105 - the name of a file
SEALING_KEYS: Final = "sealing.keys"
NAMES: Final = frozenset({SQLITE, POSTGRES, REDIS, SECRET, SEALING_KEYS})


class BadBackup(Exception):
    """The folder is no whole backup; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """`taken_at`: when the copy began, ms since 1970. `files`: name -> SHA-256. `settled`: firm -> the last
    outbox id that the database has settled. `settings_file`: where the settings stood; they are not copied.
    """

    deployment: str
    taken_at: int
    version: str
    schema: str
    settings_file: str
    settled: Mapping[str, str]
    files: Mapping[str, str]
    form: int = FORM


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, last of all; on disk when it returns."""
    text = json.dumps(asdict(manifest), indent=2, sort_keys=True) + "\n"
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    for each in (*folder.iterdir(), folder):
        sync(each)


def read(folder: Path) -> Manifest:
    """The manifest of a whole backup: every file is there as it was written. Raises BadBackup."""
    try:
        values: dict[str, Any] = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        found = Manifest(**values)
        if found.form != FORM or not NAMES.issuperset(found.files):
            raise BadBackup("its manifest is of another version")
        for name, wanted in found.files.items():
            if digest(folder / name) != wanted:
                raise BadBackup(f"{name} is not as it was written")
    except OSError as err:
        raise BadBackup(f"{Path(str(err.filename)).name}: {err.strerror}") from err
    except (ValueError, TypeError) as err:
        raise BadBackup("its manifest cannot be read") from err
    return found


def sync(path: Path) -> None:
    """What was written to a file or folder is on disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
