"""A file of the calls that SQL does not have yet, for whoever comes after a process that was killed.

A line a row, as it would have to be recorded if the process ended right then; of a call the last one counts.
A kill loses none; when the machine itself fails, what its disk did not have is lost. No row has a number.

Each process has a file of its own and holds a lock beside it. The next one that starts on the same machine
takes over the files of those that are gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from config.outage import Outage
from gateway.store.calls.records import LOST, CallRow

FOLDER: Final = "calls"  # in the state directory
ASIDE: Final = "laid-aside.json-lines"  # of all processes: what alone could not be written to SQL, and why
_ROOM: Final = 256 * 1024  # octets beside what must stay, before the file is written anew


class CallJournal:
    """One process's. Of one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of all processes on this machine."""
        self._folder = folder
        self._file = folder / f"{os.getpid()}-{secrets.token_hex(4)}.rows"
        self._descriptor = -1
        self._held = -1  # the lock
        self._kept = 0  # octets that had to stay when the file was last written anew
        self._size = 0
        self._full = Outage("the journal of calls cannot be written")

    def open(self) -> list[CallRow]:
        """Begin; the rows that others have left, which may stand in SQL already. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(self._folder):
            self._held = os.open(_lock(self._file), os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)
            gone = list(_gone(self._folder))
            left = [row for file in gone for row in _read(file)]
            if self.keep(left):
                for file in gone:
                    _remove(file)
        return left

    def note(self, row: CallRow) -> None:
        """A call as it stands now."""
        line = _line(row)
        try:
            os.write(self._descriptor, line)
            self._full.over()
        except OSError as err:
            self._full.on(err.strerror or "")
        self._size += len(line)

    def lay_aside(self, row: CallRow, reason: str) -> str:
        """A row that cannot be written anywhere else; the file that has it, empty where no disk took it."""
        file = self._folder / ASIDE
        line = json.dumps({"why": reason, "row": row._asdict()}).encode() + b"\n"
        try:
            descriptor = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as err:
            self._full.on(err.strerror or "")
            return ""
        return str(file)

    def alive(self) -> None:
        """This process lives: what it leaves has ended no earlier."""
        with contextlib.suppress(OSError):
            os.utime(self._descriptor)

    @property
    def has_grown(self) -> bool:
        """Whether it is time for `keep`."""
        return self._size > 2 * self._kept + _ROOM

    def keep(self, rows: Sequence[CallRow]) -> bool:
        """Only these are still needed. False where a full disk forbids to write that."""
        try:
            self._write_anew(rows)
        except OSError as err:
            self._full.on(err.strerror or "")
            return False
        return True

    def close(self, rows: Sequence[CallRow]) -> None:
        """The end. `rows`: what the next process has to write; without any the file goes."""
        if self.keep(rows) and not rows:
            _remove(self._file)
        for descriptor in (self._descriptor, self._held):
            if descriptor >= 0:
                os.close(descriptor)

    def _write_anew(self, rows: Sequence[CallRow]) -> None:
        """Whole or not at all."""
        waiting = self._file.with_suffix(".new")
        octets = b"".join(map(_line, rows))
        descriptor = os.open(waiting, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab", closefd=False) as file:
            file.write(octets)
        waiting.replace(self._file)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._kept, self._size = descriptor, len(octets), len(octets)


def _line(row: CallRow) -> bytes:
    return (
        b"\n" + json.dumps(row).encode()
    )  # so that half a line, on a full disk, does not spoil the next one


def _read(file: Path) -> list[CallRow]:
    """What a process has left. Calls that it had are over since its last sign of life."""
    last = int(file.stat().st_mtime * 1000)
    rows: dict[str, CallRow] = {}
    for line in file.read_bytes().splitlines():
        with contextlib.suppress(ValueError, TypeError):  # a line that was not written to its end
            row = CallRow(*json.loads(line))
            rows[row.id] = row
    return [
        row._replace(ended_at=max(row.ended_at, last)) if row.outcome == LOST else row
        for row in rows.values()
    ]


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    _lock(file).unlink(missing_ok=True)


def _lock(file: Path) -> Path:
    return file.with_suffix(".lock")


def _gone(folder: Path) -> Iterator[Path]:
    """Files whose process does not live. Call it alone."""
    for file in sorted(folder.glob("*.rows")):
        descriptor = os.open(_lock(file), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
        yield file


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "places.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
