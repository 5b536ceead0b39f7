"""A stream on its way to SQL as one drain reads it: once from its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from redis import Redis

from gateway.store.redis.keys import SpoolKeys
from gateway.store.redis.suspects import Suspects


class Spooled(NamedTuple):
    """An entry as Redis gives it. `suspect`: it has failed before."""

    id: bytes
    fields: Mapping[bytes, bytes]
    suspect: bool


class Spool(Suspects):
    """One stream. `redis` answers bytes. All calls raise RedisError."""

    def __init__(self, redis: Redis, names: SpoolKeys) -> None:
        super().__init__(redis, names)
        self._stream = names.stream
        self._reader = redis
        self._read_to = "-"

    def next(self, count: int) -> list[Spooled]:
        """At most `count` further entries, without those that are to be tried again later."""
        rows: Any = self._reader.xrange(self._stream, min=self._read_to, count=count)
        if not rows:
            return []
        self._read_to = "(" + rows[-1][0].decode()
        suspects = self.standing([id_ for id_, _ in rows])
        return [Spooled(id_, fields, id_ in suspects) for id_, fields in rows if suspects.get(id_, True)]
