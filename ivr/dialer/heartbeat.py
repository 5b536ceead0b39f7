"""A dialer says that it lives, whatever else it is at: who stays silent is taken for dead, and its calls end.

So nothing stands in this task but that one word. It is a task of the loop that watches the calls and not a
thread: while the loop stands still, nobody watches them, and they are better ended.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError

from config.outage import Outage

EVERY_S: Final = 3.0
log = structlog.get_logger()


class Lives(Protocol):
    """gateway.store.calls.slots. Both raise RedisError."""

    async def here(self, name: str) -> None:
        """This one lives."""

    async def leave(self, name: str) -> None:
        """This one ends."""


class Heartbeat:
    """`name`: of this dialer."""

    def __init__(self, name: str, dialers: Lives) -> None:
        self._name = name
        self._dialers = dialers
        self._left = False
        self._away = Outage("no dialer hears that this one lives")

    async def run(self) -> None:
        """Until cancelled, or until it has left."""
        while not self._left:
            try:
                await self._dialers.here(self._name)
                self._away.over()
            except (RedisError, OSError, TimeoutError) as err:
                self._away.on(type(err).__name__)
            except Exception:  # who does not say any more that it lives is taken for dead
                log.exception("this dialer could not say that it lives; it goes on")
            await asyncio.sleep(EVERY_S)

    async def leave(self) -> None:
        """This one ends and has nothing under way."""
        self._left = True
        try:
            await self._dialers.leave(self._name)
        except (RedisError, OSError, TimeoutError):
            return  # it is forgotten by itself
