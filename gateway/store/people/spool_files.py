"""The files of wishes (gateway.store.calls.spool), as whoever seals them anew or ends them sees them."""

from __future__ import annotations

import binascii
import contextlib
import fcntl
import os
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.store.files import private_file
from gateway.store.vault.places import Purpose

SEAL_WISH: Final = Purpose.WISH
SUFFIX: Final = ".wish"
DRAFT_LIVES_S: Final = 60  # a file that is being written is done long before


def sealed(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """What stands in each file; empty where it is nothing that was sealed. Raises OSError.

    Drafts that a killed process has left go: nobody reads them.
    """
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        with contextlib.suppress(FileNotFoundError):  # done meanwhile
            yield file, _octets(file.read_bytes())
    for draft in folder.glob(f".*{SUFFIX}.*"):
        with contextlib.suppress(FileNotFoundError):
            if draft.stat().st_mtime < time.time() - DRAFT_LIVES_S:
                draft.unlink()


def replace(file: Path, was: bytes, now: bytes) -> bool:
    """Put another sealed value in the place of `was`, unless the wish is done meanwhile. Raises OSError."""
    with _alone(file.parent):
        try:
            stands = _octets(file.read_bytes())
        except FileNotFoundError:
            return False
        if stands != was:
            return False
        private_file.replace(file, b64encode(now).decode())
        return True


def remove(file: Path) -> None:
    """End one; it may be gone already. Raises OSError."""
    if file.parent.exists():
        with _alone(file.parent):
            file.unlink(missing_ok=True)


def _octets(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        return b""


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else on this machine ends or rewrites a wish meanwhile: one that is done must not come back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
