"""Entries of a stream that failed alone: when each is tried again, and how the hopeless are laid aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis import Redis

from gateway.store.redis.functions import script
from gateway.store.redis.keys import SpoolKeys

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Before an entry is laid aside it has failed `failures` times while others passed, over `span_ms`.

    It is tried again at the latest after `longest_wait_ms`.
    """

    failures: int
    span_ms: int
    longest_wait_ms: int


USUAL: Final = Patience(failures=5, span_ms=300_000, longest_wait_ms=30_000)
NONE: Final = Patience(failures=0, span_ms=0, longest_wait_ms=0)  # somebody waits for the end, and is told


class Suspects:
    """Of one stream. `redis` answers bytes. All calls raise RedisError."""

    def __init__(self, redis: Redis, names: SpoolKeys) -> None:
        self._redis = redis
        self._names = names
        self._failed = redis.register_script(script("failed"))

    def standing(self, ids: Sequence[bytes]) -> dict[bytes, bool]:
        """Those of the entries that have failed before, each with whether it may be tried again now."""
        if not ids:
            return {}
        pipe: Any = self._redis.pipeline(transaction=False)
        pipe.time()
        pipe.hmget(self._names.suspects, ids)
        (seconds, micros), found = pipe.execute()
        now = int(seconds) * 1000 + int(micros) // 1000
        return {id_: _due_at(told) <= now for id_, told in zip(ids, found, strict=True) if told is not None}

    def failed(
        self,
        id_: bytes,
        reason: str,
        patience: Patience,
        *,
        others_pass: bool,
        keep: Mapping[bytes, bytes] | None = None,
    ) -> bool:
        """An entry has failed; whether it was laid aside now, with `keep` in the place of its fields."""
        kept = [part for pair in (keep or {}).items() for part in pair]
        after = patience.failures, patience.span_ms, patience.longest_wait_ms
        args: list[bytes | str | int] = [id_, reason, int(others_pass), *after, *kept]
        laid_aside = bool(self._failed(keys=list(self._names), args=args))
        if laid_aside:
            log.error(
                "laid aside",
                stream=self._names.stream,
                entry=id_.decode(),
                reason=reason,
                mend="undercap dead show, undercap dead replay",
            )
        return laid_aside

    def end(self, ids: Sequence[bytes]) -> None:
        """These have passed: they leave the stream."""
        if ids:
            pipe: Any = self._redis.pipeline(transaction=False)
            pipe.xdel(self._names.stream, *ids)
            pipe.hdel(self._names.suspects, *ids)
            pipe.execute()


def _due_at(told: bytes) -> int:
    """0 for what an older version noted."""
    words = told.split()
    return int(words[3]) if len(words) == 4 else 0
