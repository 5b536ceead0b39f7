"""Outcomes on their way to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from redis.exceptions import RedisError

from config.outage import Outage
from gateway.store.texts.sendqueue import Sent

STORAGE_RETRY_S = 0.5
_LOOK_EVERY_S = 1.0


class Files(Protocol):
    """gateway.store.texts.sendqueue."""

    async def file(self, sent: Sequence[Sent]) -> None:
        """End answers: on disk when it returns; may be repeated. Raises RedisError."""


class Filing:
    """What ended together is filed together; what could not be filed is filed later."""

    def __init__(self, queue: Files, link: str) -> None:
        self._queue = queue
        self._ended: list[Sent] = []
        self._wake = asyncio.Event()
        self._away = Outage("outcomes not filed yet", link=link)

    def __len__(self) -> int:
        return len(self._ended)

    def add(self, sent: Sent) -> None:
        """It has ended."""
        self._ended.append(sent)
        self._wake.set()

    def wake(self) -> None:
        """Look whether there is an end."""
        self._wake.set()

    async def once(self) -> None:
        """Wait for outcomes for a while and file them."""
        if not self._ended:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()
        batch, self._ended = self._ended, []
        if not batch:
            return
        try:
            await self._queue.file(batch)
        except (RedisError, OSError, TimeoutError) as err:
            self._ended = batch + self._ended
            self._away.on(type(err).__name__, len(batch))
            await asyncio.sleep(STORAGE_RETRY_S)
        else:
            self._away.over()
