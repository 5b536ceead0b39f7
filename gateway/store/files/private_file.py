"""Files with secrets: for their owner alone, seen whole or not at all, on disk before a call returns."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.store.files import state_dir

MOST_BYTES = 64 * 1024


class OpenToOthers(Exception):
    """Others may read the file; the message says how to mend it."""


def read(file: Path) -> str:
    """Its text, of which MOST_BYTES count. Raises OpenToOthers, OSError.

    On a mount that is read-only, as Docker and Kubernetes give secrets, its mode is chosen by whoever mounted
    it: it may be readable for others, never writable.
    """
    with file.open("rb") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        if mode & (0o022 if _is_mounted(opened.fileno()) else 0o077):
            raise OpenToOthers(f"(mode {mode:04o}): chmod 600 {file}")
        return opened.read(MOST_BYTES).decode("ascii", errors="replace")


def _is_mounted(handle: int) -> bool:
    return bool(os.fstatvfs(handle).f_flag & os.ST_RDONLY)


def make(file: Path, text: str) -> None:
    """Make a file that is not there yet; of several who do it at once one wins, silently. Raises OSError."""
    with _draft(file, text) as draft, contextlib.suppress(FileExistsError):
        os.link(draft, file)


def replace(file: Path, text: str) -> None:
    """Put new text in the place of the old. Raises OSError."""
    with _draft(file, text) as draft:
        os.replace(draft, file)


@contextlib.contextmanager
def _draft(file: Path, text: str) -> Iterator[Path]:
    """The text beside its place, on disk; what becomes of it is on disk at the end, too."""
    state_dir.make(file.parent)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            _give_to_owner(opened.fileno(), file)
            opened.write(text.encode())
            opened.flush()
            os.fsync(opened.fileno())
        yield draft
        _sync_directory(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def _give_to_owner(handle: int, file: Path) -> None:
    """What root writes by a command is the service's still: of the old file's owner, else the directory's."""
    if os.geteuid() == 0:
        beside = (file if file.exists() else file.parent).stat()
        os.fchown(handle, beside.st_uid, beside.st_gid)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
