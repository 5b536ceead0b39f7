"""Texts of a firm that could not be settled: kept whole and sealed, until the operator replays them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import Redis

from gateway.store import keys
from gateway.store.claims import script
from gateway.store.outbox import Accepted, Unreadable, parse

_AT_ONCE = 100


class DeadLetter(NamedTuple):
    """`accepted_at`: ms since 1970; `why`: the kind of fault of its last settlement."""

    id: str
    accepted_at: int
    why: str


class DeadLetters:
    """One firm's. All calls are synchronous; `redis` answers bytes. All raise RedisError."""

    def __init__(self, redis: Redis, firm_id: int) -> None:
        self._redis = redis
        self._firm_id = firm_id

    def all(self) -> Iterator[DeadLetter]:
        """The oldest first."""
        for id_, fields in self._rows():
            accepted_at = int(fields[b"was"].split(b"-", 1)[0])
            yield DeadLetter(id_.decode(), accepted_at, fields[b"why"].decode())

    def texts(self) -> Iterator[Accepted]:
        """What was accepted, as far as it can be read."""
        for id_, fields in self._rows():
            try:
                yield parse(self._firm_id, id_, fields)
            except Unreadable:
                continue

    def replay(self) -> int:
        """Put all back into the outbox; how many."""
        ids = [id_ for id_, _ in self._rows()]
        put = self._redis.register_script(script("replay"))
        names = [keys.dead(self._firm_id), keys.outbox(self._firm_id)]
        return sum(int(put(keys=names, args=ids[at : at + _AT_ONCE])) for at in range(0, len(ids), _AT_ONCE))

    def _rows(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        rows: Any = self._redis.xrange(keys.dead(self._firm_id))
        return list(rows)
