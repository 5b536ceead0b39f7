"""A lane: what arrives waits in order and is taken batch by batch, one batch at a time.

What has arrived while the last batch was on its way to the disk is the next batch: nothing waits for more to
come, and under load one round trip carries many.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

import structlog
from redis.exceptions import RedisError

from config.outage import Outage
from gateway.store.redis.functions import StoreUnavailable

_LEAST_WAIT_S = 0.1
log = structlog.get_logger()


class Timed(Protocol):
    """Something that arrived. `at`: seconds, monotonic."""

    @property
    def at(self) -> float:
        """When it arrived."""


T = TypeVar("T", bound=Timed)


class Lane(Generic[T]):
    """`store`: makes a batch durable and answers it. `refuse`: answers a batch that could not be stored.

    `most`: of a batch; a small one keeps Redis free for others between two. `wait_s`: from the arrival of the
    oldest to its refusal.
    """

    def __init__(
        self,
        name: str,
        store: Callable[[list[T]], Awaitable[None]],
        refuse: Callable[[Sequence[T]], None],
        *,
        most: int,
        wait_s: float,
    ) -> None:
        self._name = name
        self._store = store
        self._refuse = refuse
        self._most = most
        self.wait_s = wait_s
        self._waiting: list[T] = []
        self._working: asyncio.Task[None] | None = None
        self._outage = Outage("not stored, temporary answer", lane=name)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, arrived: T) -> None:
        """Something arrived; it is stored and answered, or refused, later."""
        self._waiting.append(arrived)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def idle(self) -> None:
        """Until all that was added is answered."""
        while self._working is not None:
            await asyncio.wait({self._working})

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._most]
                del self._waiting[: self._most]
                await self._bounded(batch)
        finally:
            self._working = None

    async def _bounded(self, batch: list[T]) -> None:
        left_s = batch[0].at + self.wait_s - time.monotonic()
        try:
            async with asyncio.timeout(max(_LEAST_WAIT_S, left_s)):
                await self._store(batch)
            self._outage.over()
            return
        except (StoreUnavailable, RedisError, OSError, TimeoutError) as err:
            reason = str(err) if isinstance(err, StoreUnavailable) else type(err).__name__
        except Exception as err:
            log.exception("batch failed", lane=self._name)
            reason = type(err).__name__
        self._outage.on(reason, len(batch))
        self._refuse(batch)
