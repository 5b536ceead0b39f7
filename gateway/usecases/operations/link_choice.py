"""The link by which a text leaves that no text of the shopper's went before: chosen anew for each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from redis.exceptions import RedisError

from gateway.domain.links.routing import Health, Route, choose

LOOK_EVERY_S = 2.0


class LinkChoice:
    """`look`: how the links stand; what it raises as RedisError leaves them as they stood."""

    def __init__(self, routes: Sequence[Route], look: Callable[[], Awaitable[Mapping[str, Health]]]) -> None:
        self._routes = tuple(routes)
        self._look = look
        self._health: Mapping[str, Health] = {}

    def __call__(self, number: str) -> str:
        """The link for a text to `number` (E.164 digits); empty where none carries it."""
        # A random number for spreading load, not for secrets.
        return choose(self._routes, number, self._health, random.random()) or ""  # noqa: S311

    async def follow(self) -> None:
        """Look every two seconds, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look now."""
        try:
            self._health = await self._look()
        except (RedisError, OSError):
            return
