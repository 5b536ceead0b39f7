"""Where sealed values stand, and under which generation: counted for the operator, and before a key ends.

The places are those of gateway.store.vault.places. What is in Redis drains by itself but for the dead
letters: outboxes within seconds, queues within `answers.unsent_max_age_h`, parts within
`smpp.reassembly_timeout_s` and a quarter of an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from redis import Redis
from sqlalchemy import Connection, func, select

from gateway.store.people import spool_files
from gateway.store.redis import keys
from gateway.store.texts import outbox
from gateway.store.vault import places
from gateway.store.vault.places import InRedis
from gateway.store.vault.vault import HEADER, generation_of, header_of

Counted = Mapping[str, Counter[int]]  # place -> generation -> values
_AT_ONCE: Final = 1000


def in_sql(connection: Connection, generations: Sequence[int]) -> Counted:
    """By place and generation; of `generations` (from 1) and, as the rest, of 0. Reads whole tables."""
    found: dict[str, Counter[int]] = {}
    for place in places.SQL:
        if place.sealed is None:
            continue
        column = place.column
        of_generation = [
            func.count().filter(func.substr(column, 1, HEADER) == header_of(generation))
            for generation in generations
        ]
        standing = func.count().filter(func.length(column) > 0)
        everything, *counts = connection.execute(select(standing, *of_generation)).one()
        by_generation = dict(zip(generations, counts, strict=True))
        found[place.name] = Counter({0: everything - sum(counts)} | by_generation)
    return found


def in_redis(redis: Redis) -> Counted:
    """By place and generation. `redis` answers bytes. Walks through all keys. Raises RedisError."""
    found: dict[str, Counter[int]] = {}
    for place in places.REDIS:
        if place.sealed is None:
            continue
        for name in redis.scan_iter(match=place.keys, count=_AT_ONCE, _type=_TYPE.get(place, "stream")):
            values = (generation_of(value) for value in standing(redis, place, name) if value)
            found.setdefault(place.name, Counter()).update(values)
    return found


def on_disk(state: Path) -> Counted:
    """By place and generation, of this machine. Raises OSError."""
    place = places.WISHES
    values = Counter(generation_of(value) for _, value in spool_files.sealed(state / place.folder) if value)
    return {place.name: values} if values else {}


def standing(redis: Redis, place: InRedis, name: bytes) -> Iterator[bytes]:
    """The sealed values under one key of a place."""
    if place is places.PARTS:
        parts: Any = redis.hgetall(name)
        yield from (value for field, value in parts.items() if field.startswith(b"p"))
        return
    for _, fields in entries(redis, name):
        yield fields.get(b"x", b"") if place is places.SEND else outbox.sealed_number(fields)


_TYPE: Final = {places.PARTS: "hash"}


def streams(redis: Redis) -> Iterator[bytes]:
    """The names of all streams of firms."""
    yield from redis.scan_iter(match=keys.tag_pattern(), count=_AT_ONCE, _type="stream")


def entries(redis: Redis, name: bytes | str) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of a stream, the oldest first, some at a time."""
    after = "-"
    while True:
        rows: Any = redis.xrange(name, min=after, count=_AT_ONCE)
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        after = "(" + rows[-1][0].decode()
