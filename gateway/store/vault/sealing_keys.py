"""The sealing keys: secrets in generations that go, with the master secret, into the keys of seals.

They stand in one file beside the master secret, a line a generation. Generation 0 has no line: it is of
the master secret alone. A generation seals from a moment on, so that every process knows it before anybody
uses it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from config.section import SettingsError
from config.settings import Settings
from gateway.store.files import private_file
from gateway.store.files.private_file import OpenToOthers

FILE_NAME: Final = "sealing.keys"
LENGTH: Final = 32  # octets
MOST_GENERATION: Final = 0xFFFF
_HEAD: Final = "# Undercap's sealing keys: generation, seals from (UTC), secret. Private; back it up.\n"


class SealingKeysError(SettingsError):
    """The sealing keys cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """One generation, from 1. `seals_from`: seconds since 1970."""

    generation: int
    seals_from: int
    secret: bytes = field(repr=False)


def file_of(settings: Settings) -> Path:
    """Where they stand."""
    return settings.sealing_keys_file or settings.state_dir / FILE_NAME


def new(generation: int, seals_from: int) -> SealingKey:
    """A key that nobody has."""
    return SealingKey(generation=generation, seals_from=seals_from, secret=secrets.token_bytes(LENGTH))


def read(file: Path) -> tuple[SealingKey, ...]:
    """All of them, the oldest first; none where there is no file yet. Raises SealingKeysError."""
    try:
        text = private_file.read(file)
    except FileNotFoundError:
        return ()
    except OpenToOthers as err:
        raise SealingKeysError(f"{file}: others may read the sealing keys {err}") from err
    except OSError as err:
        raise SealingKeysError(f"{file}: the sealing keys cannot be read: {err.strerror}") from err
    try:
        return _parsed(text)
    except ValueError as err:
        raise SealingKeysError(f"{file}: are no sealing keys: put them back from your backup") from err


def write(file: Path, keys: Sequence[SealingKey]) -> None:
    """Put these in the place of all others; on disk when it returns. Raises SealingKeysError."""
    lines = (f"{k.generation} {_moment(k.seals_from)} {k.secret.hex()}\n" for k in keys)
    try:
        private_file.replace(file, _HEAD + "".join(lines))
    except OSError as err:
        raise SealingKeysError(f"{file}: the sealing keys cannot be written: {err.strerror}") from err


def _parsed(text: str) -> tuple[SealingKey, ...]:
    """Raises ValueError: a line too few is a number that nobody opens, so nothing is passed over."""
    found = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        generation, moment, secret = line.split()
        seals_from = int(datetime.fromisoformat(moment).timestamp())
        found.append(
            SealingKey(generation=int(generation), seals_from=seals_from, secret=bytes.fromhex(secret))
        )
    generations = [key.generation for key in found]
    if generations != sorted(set(generations)) or any(
        not 0 < key.generation <= MOST_GENERATION or len(key.secret) != LENGTH for key in found
    ):
        raise ValueError("generations")
    return tuple(found)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


class KeyFile:
    """The file as a process follows it: read again when it has changed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[SealingKey, ...] = ()

    def look(self) -> tuple[SealingKey, ...]:
        """The keys as they stand now. Raises SealingKeysError."""
        try:
            found = self.file.stat()
        except FileNotFoundError:
            if self._keys:
                raise SealingKeysError(f"{self.file}: the sealing keys are gone") from None
            return ()
        except OSError as err:
            raise SealingKeysError(f"{self.file}: the sealing keys cannot be read: {err.strerror}") from err
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._keys = read(self.file)
            self._stamp = stamp
        return self._keys


def sealing_now(keys: Sequence[SealingKey], now: float | None = None) -> int:
    """The generation that seals at this moment (seconds since 1970); 0: that of the master secret alone."""
    at = time.time() if now is None else now
    return max((key.generation for key in keys if key.seals_from <= at), default=0)
