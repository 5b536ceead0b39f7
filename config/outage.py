"""Says once that something is away, again now and then with what was missed, and once that it is back."""

from __future__ import annotations

import time
from typing import Any

import structlog

TELL_AGAIN_S = 60.0
log = structlog.get_logger()


class Outage:
    """One thing that may be away. `what`: the event of its lines; `fields`: bound to each of them."""

    def __init__(self, what: str, **fields: Any) -> None:
        self._what = what
        self._fields = fields
        self._told_at: float | None = None
        self._missed = 0

    def on(self, reason: str, count: int = 1) -> None:
        """It did not work just now, for `count` things."""
        self._missed += count
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= TELL_AGAIN_S:
            log.warning(self._what, reason=reason, count=self._missed, **self._fields)
            self._told_at, self._missed = now, 0

    def over(self) -> None:
        """It worked."""
        if self._told_at is not None:
            log.info(f"{self._what}: over", count=self._missed, **self._fields)
            self._told_at, self._missed = None, 0
