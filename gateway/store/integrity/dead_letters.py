"""What could not be written to SQL: kept whole and sealed, until the operator looks at it and replays it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from redis import Redis

from gateway.store.redis import keys
from gateway.store.redis.functions import script
from gateway.store.redis.keys import SpoolKeys
from gateway.store.texts.outbox import Accepted, Unreadable, parse

_AT_ONCE = 100


class DeadLetter(NamedTuple):
    """`accepted_at`: when it first came, ms since 1970; `why`: the kind of fault of its last attempt."""

    id: str
    accepted_at: int
    why: str
    fields: Mapping[bytes, bytes]

    @property
    def laid_aside_at(self) -> int:
        """Ms since 1970."""
        return int(self.id.split("-", 1)[0])


class LaidAside:
    """Of one stream. All calls are synchronous; `redis` answers bytes. All raise RedisError."""

    def __init__(self, redis: Redis, names: SpoolKeys) -> None:
        self._redis = redis
        self._names = names

    def all(self) -> Iterator[DeadLetter]:
        """The oldest first."""
        for id_, fields in self._rows():
            accepted_at = int(fields[b"was"].split(b"-", 1)[0])
            yield DeadLetter(id_.decode(), accepted_at, fields[b"why"].decode(), fields)

    def replay(self, ids: Sequence[str] | None = None) -> int:
        """Put those, or all, back where they came from; how many."""
        wanted = [id_ for id_, _ in self._rows()] if ids is None else [id_.encode() for id_ in ids]
        put = self._redis.register_script(script("replay"))
        names = [self._names.aside, self._names.stream]
        at_once = (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE))
        return sum(int(put(keys=names, args=those)) for those in at_once)

    def _rows(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        rows: Any = self._redis.xrange(self._names.aside)
        return list(rows)


class DeadLetters(LaidAside):
    """The texts of one firm."""

    def __init__(self, redis: Redis, firm_id: int) -> None:
        super().__init__(redis, keys.outbox_spool(firm_id))
        self._firm_id = firm_id

    def texts(self) -> Iterator[Accepted]:
        """What was accepted, as far as it can be read."""
        for id_, fields in self._rows():
            try:
                yield parse(self._firm_id, id_, fields)
            except Unreadable:
                continue


def links_with_receipts_aside(redis: Redis) -> list[str]:
    """Whether they are configured still or not."""
    pattern = keys.receipts_spool("*").aside
    names = redis.scan_iter(match=pattern, count=1000, _type="stream")
    return sorted(keys.link_of(name) for name in names)
