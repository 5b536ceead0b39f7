"""One `undercap up` a state directory, and none beside the last processes of one that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config.section import SettingsError

LOOK_AGAIN_S = 0.1
TOLD_AFTER_S = 1.0


@contextlib.contextmanager
def only_one(state_dir: Path, *, wait_s: float, tell: Callable[[str], None]) -> Iterator[int]:
    """Hold the state directory; yields the descriptor that every child has to inherit.

    A lock lives as long as its descriptor is open anywhere. So the first lock tells whether another
    supervisor lives, the inherited one whether children do: those of a killed supervisor are waited for,
    `wait_s` seconds at most. Raises SettingsError, one line.
    """
    with _opened(state_dir / "up.lock") as mine, _opened(state_dir / "children.lock") as heirloom:
        if not _taken(mine):
            holder = os.pread(mine, 32, 0).decode("ascii", errors="replace").strip() or "unknown"
            raise SettingsError(
                f"another `undercap up` (process {holder}) works on {state_dir.resolve()}: "
                "stop it first, or choose another state_dir"
            )
        os.ftruncate(mine, 0)
        os.pwrite(mine, f"{os.getpid()}\n".encode(), 0)
        _wait_for_heirs(heirloom, state_dir, wait_s, tell)
        yield heirloom


def in_use(state_dir: Path) -> bool:
    """Whether an `undercap up`, or what a killed one has left, works on this state directory."""
    for name in ("up.lock", "children.lock"):
        with contextlib.suppress(OSError), (state_dir / name).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _wait_for_heirs(heirloom: int, state_dir: Path, wait_s: float, tell: Callable[[str], None]) -> None:
    begun, told = time.monotonic(), False
    while not _taken(heirloom):
        waited_s = time.monotonic() - begun
        if waited_s > wait_s:
            raise SettingsError(
                f"processes of an `undercap up` that was killed still work on {state_dir.resolve()}: "
                "end them (`pgrep -f gateway.entry.cli` lists them) and start again"
            )
        if not told and waited_s > TOLD_AFTER_S:
            tell("waits for the processes of an `undercap up` that was killed to end")
            told = True
        time.sleep(LOOK_AGAIN_S)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as err:
        raise SettingsError(
            f"state_dir: {file.resolve()}: {err.strerror}: choose a state_dir that this user can write to"
        ) from err
    try:
        yield descriptor
    finally:
        os.close(descriptor)
