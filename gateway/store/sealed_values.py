"""Where sealed values stand, and under which generation: counted for the operator, and before a key ends.

In SQL: numbers, and answers whose outcome is not known. In Redis: texts that wait for settlement, dead
letters, texts to send, parts of long texts. What is in Redis drains by itself but for the dead letters:
outboxes within seconds, queues within `answers.unsent_max_age_h`, parts within `smpp.reassembly_timeout_s`
and a quarter of an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from redis import Redis
from sqlalchemy import Connection, func, select

from gateway.store import keys, outbox, schema
from gateway.store.vault import HEADER, generation_of, header_of

Counted = Mapping[str, Counter[int]]  # place -> generation -> values
COLUMNS: Final = {"numbers": schema.shopper.c.number, "answers": schema.message.c.sealed}
_AT_ONCE: Final = 1000


def in_sql(connection: Connection, generations: Sequence[int]) -> Counted:
    """By place and generation; of `generations` (from 1) and, as the rest, of 0. Reads whole tables."""
    found: dict[str, Counter[int]] = {}
    for place, column in COLUMNS.items():
        of_generation = [
            func.count().filter(func.substr(column, 1, HEADER) == header_of(generation))
            for generation in generations
        ]
        standing = func.count().filter(func.length(column) > 0)
        everything, *counts = connection.execute(select(standing, *of_generation)).one()
        found[place] = Counter({0: everything - sum(counts)} | dict(zip(generations, counts, strict=True)))
    return found


def in_redis(redis: Redis) -> Counted:
    """By place and generation. `redis` answers bytes. Walks through all keys. Raises RedisError."""
    found: dict[str, Counter[int]] = {}
    for name in streams(redis):
        kind = keys.kind_of(name)
        if kind in ("outbox", "dead"):
            values = (outbox.sealed_number(fields) for _, fields in entries(redis, name))
        elif kind == "send":
            values = (fields.get(b"x", b"") for _, fields in entries(redis, name))
        else:
            continue
        found.setdefault(_PLACES[kind], Counter()).update(generation_of(v) for v in values if v)
    for name in redis.scan_iter(match=keys.parts("*"), count=_AT_ONCE, _type="hash"):
        parts: Any = redis.hgetall(name)
        sealed = (value for field, value in parts.items() if field.startswith(b"p"))
        found.setdefault("parts of long texts", Counter()).update(map(generation_of, sealed))
    return found


_PLACES: Final = {"outbox": "texts to settle", "dead": "dead letters", "send": "texts to send"}


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
