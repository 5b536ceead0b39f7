"""Nudges from an asyncio process: bundled, never blocking the loop, and the last one never forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.exceptions import RedisError

from config.outage import Outage
from gateway.queues.nudge import nudge
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter

INTERVAL_S = 0.02


class Nudger:
    """Nudges the worker at most once per interval. `redis`: RQ's server. `by`: this process, for metrics."""

    def __init__(self, redis: Any, meter: Meter, by: str) -> None:
        self._redis = redis
        self._queued = meter.tick(measures.NUDGES, by)
        self._away = Outage("nudge failed; the sweep finds the work")
        self._wanted = False
        self._task: asyncio.Task[None] | None = None

    def poke(self) -> None:
        """An outbox got work."""
        self._wanted = True
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                try:
                    queued = await asyncio.to_thread(nudge, self._redis)
                    self._queued.n += queued
                except (RedisError, OSError) as err:  # the worker's sweep finds the work
                    self._away.on(type(err).__name__)
                else:
                    self._away.over()
                await asyncio.sleep(INTERVAL_S)
        finally:
            self._task = None
