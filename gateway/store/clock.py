"""Redis' clock: all processes go by it for limits, hours and leases, whatever their own clocks say."""

from __future__ import annotations

from typing import Any

from redis import Redis


def now_of(redis: Redis, offset_s: int = 0) -> int:
    """Redis' clock, ms since 1970. `offset_s`: added to it, in tests and drills only."""
    answer: Any = redis.time()
    seconds, micros = answer
    return int(seconds) * 1000 + int(micros) // 1000 + offset_s * 1000
