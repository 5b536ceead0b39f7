"""One Valkey for the session, emptied for each test; SQL and vault of each test's own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.integration.core.house import House, Server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """A Valkey in a short-named directory: a socket's path may hold 107 octets."""
    with tempfile.TemporaryDirectory(prefix="uc-") as name:
        found = Server(Path(name))
        found.start()
        yield found
        found.kill()


@pytest.fixture
async def house(shared_server: Server, tmp_path: Path) -> AsyncIterator[House]:
    """An empty gateway."""
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        client.script_flush()
    made = House(server_url=shared_server.url, state=tmp_path)
    yield made
    await made.close()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A Valkey that a test may kill, restore and start again."""
    with tempfile.TemporaryDirectory(prefix="uc-") as name:
        found = Server(Path(name))
        found.start()
        yield found
        found.kill()
