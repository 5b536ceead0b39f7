"""A Valkey of the tests' own, durable as in production."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.entry.valkey import embedded
from gateway.entry.valkey.place import Place
from gateway.store.redis.durable import DurableRedis


def place_in(name: str) -> Place:
    """The place of a Valkey in a directory."""
    directory = Path(name).resolve()
    return Place(directory=directory / "valkey", socket=directory / "s")


class Store:
    """The embedded Valkey; `restart` kills it and starts it on the same files."""

    def __init__(self, where: Place) -> None:
        self._where = where
        self._running: embedded.Running | None = None
        self.client = Redis(unix_socket_path=str(where.socket))
        self.durable = DurableRedis(self.client)

    async def start(self) -> None:
        """Start it, or again."""
        self._running = await embedded.start(self._where)

    async def kill(self) -> None:
        """End it as a crash would."""
        if self._running is not None:
            self._running.kill()
            await self._running.ended()
            self._running = None
        await self.client.connection_pool.disconnect()


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A Valkey in a short-named directory: a socket's path may hold 107 octets."""
    with tempfile.TemporaryDirectory(prefix="uc-") as name:
        found = Store(place_in(name))
        await found.start()
        try:
            yield found
        finally:
            await found.kill()
            await found.client.aclose()
