"""Firms' recordings as files that Asterisk plays: put beside the prompts, from SQL, when they are needed.

A file is named by its content, seen whole or not at all, and removed when it has not been needed for a while.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from gateway.store.calls import recordings

FOLDER: Final = "offers"  # below the directory of sounds
KEPT_S: Final = 7 * 86_400  # after it was last needed
_TOUCH_S: Final = 3_600  # so often the time of a file that is needed is renewed
_SUFFIX: Final = ".wav"


class Recordings:
    """`sounds`: the directory of sounds, as Asterisk sees it. Blocks: to be used beside an event loop."""

    def __init__(self, engine: Engine, sounds: Path) -> None:
        self._engine = engine
        self._folder = sounds / FOLDER
        self._whole: set[str] = set()  # digests of files that this process has looked into

    def put(self, ids: Iterable[int]) -> Mapping[int, str]:
        """Have the files of these recordings there; their names for an OfferOrder, by id.

        What is not in the answer is no recording any more. Raises OSError, SQLAlchemyError.
        """
        digests = recordings.digests(self._engine, ids)
        return {id_: f"{FOLDER}/{digest}" for id_, digest in digests.items() if self._put(id_, digest)}

    def sweep(self, now_s: float) -> int:
        """Remove what has not been needed for KEPT_S; how many. `now_s`: since 1970. Raises OSError."""
        old = [file for file in self._folder.glob("*") if file.stat().st_mtime < now_s - KEPT_S]
        for file in old:
            self._whole.discard(file.stem)
            file.unlink(missing_ok=True)
        return len(old)

    def _put(self, id_: int, digest: str) -> bool:
        file = self._folder / f"{digest}{_SUFFIX}"
        try:
            if digest not in self._whole and hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                raise FileNotFoundError
            if file.stat().st_mtime < time.time() - _TOUCH_S:
                os.utime(file)
        except FileNotFoundError:
            sound = recordings.sound(self._engine, id_)
            if sound is None:
                return False
            _write(file, sound)
        self._whole.add(digest)
        return True


def _write(file: Path, sound: bytes) -> None:
    """Whole or not at all, and readable for Asterisk, which is another user."""
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as into:
            into.write(sound)
            into.flush()
            os.fsync(into.fileno())
        draft.chmod(0o644)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
