"""The houses and markets of other tests, on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis

from gateway.store import migrate
from tests.conftest import postgres_program
from tests.integration.campaigns.market import Market
from tests.integration.core.conftest import shared_server
from tests.integration.core.house import House, Server
from tests.peers.postgres import PostgresServer

__all__ = ["shared_server"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server whose databases come with today's schema."""
    server = PostgresServer(postgres_program())
    try:
        server.start()
        migrate.upgrade(server.template())
        yield server
    finally:
        server.stop()


@pytest.fixture
async def house(postgres: PostgresServer, shared_server: Server, tmp_path: Path) -> AsyncIterator[House]:
    """An empty gateway on a database of its own."""
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        client.script_flush()
    made = House(server_url=shared_server.url, state=tmp_path, sql_url=postgres.database())
    yield made
    await made.close()


@pytest.fixture
def market(house: House) -> Market:
    """One firm with one campaign; nobody knows it yet."""
    return Market(house)
