"""Why did Valkey end? Read from its log, its exit code and the room on its disk. Pure but for `read_tail`."""

from __future__ import annotations

from pathlib import Path

from gateway.entry.process.ends import End, EndKind, how_it_ended

TAIL = 16_384  # bytes of the log that are looked at
LEAST_FREE = 4 * 1024 * 1024  # bytes; with less the log itself could not be written


_MEANWHILE = "messages get the temporary answer meanwhile"


def disk_full(directory: Path) -> End:
    """There is no room in its directory."""
    return End(kind=EndKind.STORAGE, reason=f"disk full: free space in {directory}; {_MEANWHILE}")


def why_valkey_ended(log: str, returncode: int | None, *, free_bytes: int, directory: Path) -> End:
    """`log`: what it said since its start; `returncode`: as subprocess has it, None if it was not our child.

    `free_bytes`: room on the disk of `directory`, for the case that the log could not be written either.
    """
    if "No space left on device" in log or free_bytes < LEAST_FREE:
        return disk_full(directory)
    if "Disk quota exceeded" in log or "File too large" in log:
        return End(kind=EndKind.STORAGE, reason=f"disk quota used up in {directory}: raise it; {_MEANWHILE}")
    if "Input/output error" in log:
        told = f"the disk of {directory} reports errors: mend or replace it"
        return End(kind=EndKind.STORAGE, reason=f"{told}; {_MEANWHILE}")
    if "Bad file format reading the append only file" in log:
        told = f"the append-only file in {directory} is damaged: move it away and run `undercap rebuild`"
        return End(kind=EndKind.SET_UP, reason=told)
    if "FATAL CONFIG FILE ERROR" in log:
        told = " ".join(line.strip() for line in log.splitlines()[-2:])
        return End(kind=EndKind.SET_UP, reason=f"its configuration is refused: {told}")
    return End(kind=EndKind.CRASH, reason=how_it_ended(returncode) + _last_warning(log))


def read_tail(file: Path, *, since: int) -> str:
    """What was written to `file` after byte `since`, the last 16 KB of it at most; empty if unreadable."""
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(since, size - TAIL))
            return opened.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _last_warning(log: str) -> str:
    """Valkey marks what an operator must see with a `#` (loglevel warning)."""
    warnings = [line.partition(" # ")[2] for line in log.splitlines() if " # " in line]
    told = [line for line in warnings if not line.startswith(("WARNING", "Warning"))]
    return f": {told[-1]}" if told else ""
