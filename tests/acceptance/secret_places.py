"""Every place where a gateway keeps anything: files, Redis as its API tells it, SQL column by column."""

from __future__ import annotations

import pickletools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine, inspect, text

SEPARATOR: Final = b"\n\0"  # between values: two neighbours never make a secret together
MOST: Final = 100_000


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below `folder`: databases, their journals, the append-only file, logs."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"file {path.relative_to(folder)}", path.read_bytes()


def redis_places(redis: Redis) -> Iterator[tuple[str, bytes]]:
    """Every key, field, member, score, stream entry and group; the slow log; the list of clients."""
    api: Any = redis
    for key in api.scan_iter(count=1000):
        parts = (part for value in _parts(api, key) for part in unpacked(value))
        yield f"Redis key {shown(key)}", SEPARATOR.join(parts)
    yield "Redis SLOWLOG", repr(api.execute_command("SLOWLOG", "GET", "-1")).encode() + _slow_log(api)
    for command in ("CLIENT LIST", "INFO everything", "ACL LOG"):
        try:
            yield f"Redis {command}", repr(api.execute_command(*command.split())).encode()
        except ResponseError:
            continue  # not this server's


def _slow_log(api: Any) -> bytes:
    entries = api.slowlog_get(MOST)
    return SEPARATOR.join(bytes(entry["command"]) for entry in entries)


def _parts(api: Any, key: bytes) -> Iterator[bytes]:
    yield key
    match api.type(key):
        case b"string":
            yield api.get(key) or b""
        case b"hash":
            for field, value in api.hgetall(key).items():
                yield from (field, value)
        case b"list":
            yield from api.lrange(key, 0, -1)
        case b"set":
            yield from api.smembers(key)
        case b"zset":
            for member, score in api.zrange(key, 0, -1, withscores=True):
                yield from (member, repr(score).encode(), str(int(score)).encode())
        case b"stream":
            for name, fields in api.xrange(key):
                yield from (name, *(part for pair in fields.items() for part in pair))
            yield repr(api.xinfo_groups(key)).encode()
        case b"none":
            pass  # it ended while we looked
        case other:
            raise AssertionError(f"{shown(key)} is of a type that the search does not know: {other!r}")


def unpacked(value: bytes) -> tuple[bytes, ...]:
    """The value; if it is compressed, as RQ keeps a job's data, also what is inside."""
    if value[:1] != b"\x78":
        return (value,)
    try:
        return (value, zlib.decompress(value))
    except zlib.error:
        return (value,)


def pickled(redis: Redis) -> list[str]:
    """The keys under which something pickled stands, plain or compressed."""
    api: Any = redis
    return [
        shown(key)
        for key in api.scan_iter(count=1000)
        if any(_is_pickle(part) for value in _parts(api, key) for part in unpacked(value))
    ]


def _is_pickle(value: bytes) -> bool:
    if value[:1] != b"\x80" or not value.endswith(b"."):
        return False
    try:
        list(pickletools.genops(value))
    except ValueError:
        return False
    return True


def sql_places(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Every column of every table, all its values one after the other."""
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            result = connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - our own table names
            columns = list(result.keys())
            rows = result.all()
            for index, column in enumerate(columns):
                values = (_as_bytes(row[index]) for row in rows)
                yield f"SQL {table}.{column}", SEPARATOR.join(values)


def _as_bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def shown(key: bytes) -> str:
    """A key for a message; what cannot be printed is escaped."""
    return key.decode("utf-8", "backslashreplace")
