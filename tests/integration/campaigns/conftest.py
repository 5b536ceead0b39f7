"""A gateway with a firm that has shoppers, and a desk for its marketer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis

from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import Market
from tests.integration.core.conftest import shared_server
from tests.integration.core.house import House, Server

__all__ = ["shared_server"]


@pytest.fixture
async def market(shared_server: Server, tmp_path: Path) -> AsyncIterator[Market]:
    """One firm with one campaign; nobody knows it yet."""
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        client.script_flush()
    house = House(server_url=shared_server.url, state=tmp_path)
    yield Market(house)
    await house.close()


@pytest.fixture
def dialling(market: Market) -> Dialling:
    """What a dialer does for the market's blasts by call."""
    return Dialling(market)
