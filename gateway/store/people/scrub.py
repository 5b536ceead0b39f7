"""What was deleted is gone from the files, too: SQLite's pages and log, and the append-only file of Redis.

Copies that somebody else holds (backups, replicas, snapshots of a disk) are theirs to end.
"""

from __future__ import annotations

import mmap
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import structlog
from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine

BUSY_WAIT_S: Final = 20.0  # for readers of the log, or for a rewrite that is under way
_ASK_AGAIN_S: Final = 0.2
_MOMENT_MS: Final = 50
log = structlog.get_logger()


class Scrubbed(StrEnum):
    """What became of the files."""

    CLEAN = "clean"
    REMAINS = "remains"  # a trace is still there, or somebody reads what was before
    ELSEWHERE = "elsewhere"  # a server's files, which are not ours to look at


def database(engine: Engine, traces: Sequence[bytes]) -> Scrubbed:
    """Fold SQLite's log into its file and look for the traces in both; vacuum if one is there.

    Old pages may hold copies of rows that were moved before. A vacuum writes the whole file anew: settlement
    waits for it, intake does not.
    """
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name:
        return Scrubbed.ELSEWHERE
    if not _folded(engine):
        return Scrubbed.REMAINS
    file = Path(name)
    if _found(file, traces) and not (_vacuumed(engine) and _folded(engine)):
        return Scrubbed.REMAINS
    return Scrubbed.REMAINS if _found(file, traces) else Scrubbed.CLEAN


def append_only_file(redis: Redis) -> Scrubbed:
    """Let Redis begin to write its file anew, without what was deleted. Raises RedisError.

    The log of slow commands is emptied, too: it names keys.
    """
    with suppress(ResponseError):  # a provider forbids it
        redis.slowlog_reset()
    deadline = time.monotonic() + BUSY_WAIT_S
    while True:
        try:
            redis.bgrewriteaof()
        except ResponseError as err:
            if "in progress" not in str(err):
                return Scrubbed.ELSEWHERE  # a provider forbids it
            if time.monotonic() >= deadline:
                return Scrubbed.REMAINS
            time.sleep(_ASK_AGAIN_S)
        else:
            return Scrubbed.CLEAN


def _folded(engine: Engine) -> bool:
    """Whether the log is empty now; a reader of an older state can hold it.

    SQLite holds up all writers while it waits for the reader, so that it waits for moments only.
    """
    deadline = time.monotonic() + BUSY_WAIT_S
    with closing(engine.raw_connection()) as connection:
        cursor: Any = connection.cursor()
        cursor.execute("PRAGMA busy_timeout")
        (usual_ms,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout={_MOMENT_MS}")
        try:
            while _busy(cursor):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_ASK_AGAIN_S)
        finally:
            cursor.execute(f"PRAGMA busy_timeout={usual_ms}")
    return True


def _busy(cursor: Any) -> bool:
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return bool(cursor.fetchone()[0])


def _vacuumed(engine: Engine) -> bool:
    """False where a writer does not let go, or the disk has no room for a second copy."""
    with closing(engine.raw_connection()) as connection:
        try:
            connection.cursor().execute("VACUUM")
        except sqlite3.OperationalError as err:
            log.warning("the database was not vacuumed", reason=str(err))
            return False
    return True


def _found(file: Path, traces: Sequence[bytes]) -> bool:
    for path in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-journal")):
        if not path.exists() or not path.stat().st_size:
            continue
        with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            if any(octets.find(trace) >= 0 for trace in traces):
                return True
    return False
