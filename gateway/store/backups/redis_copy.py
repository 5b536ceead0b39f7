"""A copy of Redis of one moment, as a replica gets it: SYNC, and the RDB file that follows.

Nothing is written on the server's disk, and none of its files is touched. Source: redis.io, "Redis
replication"; the `--rdb` of its command line does the same.
"""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from redis import Redis

_SILENT_S: Final = 60.0  # the server sends an empty line every second or so while it prepares the file
_MARK: Final = 40  # octets behind $EOF:, which end a file of unknown length
_CHUNK: Final = 1 << 16


class NoCopy(Exception):
    """Redis gave no copy of itself; the message says why."""


def copy_to(redis: Redis, file: Path) -> None:
    """Write what Redis holds at one moment after the call to `file`. Raises NoCopy, RedisError, OSError."""
    connection: Any = redis.connection_pool.get_connection()
    try:
        connection.send_command("REPLCONF", "rdb-only", "1")
        connection.read_response()
        connection.send_command("SYNC")
        raw: socket.socket = connection._sock
        raw.settimeout(_SILENT_S)
        with file.open("wb") as out, closing(raw.makefile("rb")) as sent:
            _copy(sent, out)
    except TimeoutError as err:
        raise NoCopy(f"Redis was silent for {_SILENT_S:g} s") from err
    finally:
        connection.disconnect()
        redis.connection_pool.release(connection)


def _copy(sent: Any, out: Any) -> None:
    head = sent.readline().strip()
    while not head:
        line = sent.readline()
        if not line:
            raise NoCopy("Redis ended the connection")
        head = line.strip()
    if head.startswith(b"$EOF:"):
        _until(sent, out, head[5:])
    elif head.startswith(b"$"):
        _octets(sent, out, int(head[1:]))
    else:
        raise NoCopy(f"Redis refuses: {head.decode(errors='replace').lstrip('-')}")


def _octets(sent: Any, out: Any, left: int) -> None:
    while left:
        piece = sent.read(min(left, _CHUNK))
        if not piece:
            raise NoCopy("Redis ended the copy early")
        out.write(piece)
        left -= len(piece)


def _until(sent: Any, out: Any, mark: bytes) -> None:
    if len(mark) != _MARK:
        raise NoCopy("Redis told no end of the copy")
    kept = b""
    while True:
        piece = sent.read1(_CHUNK)
        if not piece:
            raise NoCopy("Redis ended the copy early")
        kept += piece
        if kept.endswith(mark):
            out.write(kept[:-_MARK])
            return
        out.write(kept[:-_MARK])
        kept = kept[-_MARK:]
