"""Redis' clock: all processes go by it for limits, hours and leases, whatever their own clocks say."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis


def now_of(redis: Redis, offset_s: int = 0) -> int:
    """Redis' clock, ms since 1970. `offset_s`: added to it, in tests and drills only."""
    answer: Any = redis.time()
    seconds, micros = answer
    return int(seconds) * 1000 + int(micros) // 1000 + offset_s * 1000


class FollowedClock:
    """The same for whoever cannot ask each time: asked now and then, carried on by this machine's seconds."""

    def __init__(self, redis: Redis, offset_s: int = 0) -> None:
        self._redis = redis
        self._offset_s = offset_s
        self._ahead = int(time.time() * 1000) - _monotonic_ms()

    def look(self) -> None:
        """Ask. Raises RedisError."""
        before = _monotonic_ms()
        self._ahead = now_of(self._redis, self._offset_s) - before

    def now(self) -> int:
        """Ms since 1970."""
        return _monotonic_ms() + self._ahead


def _monotonic_ms() -> int:
    return int(time.monotonic() * 1000)
