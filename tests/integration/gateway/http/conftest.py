"""The API on the real Valkey and SQLite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.http.firm import aliases
from gateway.http.shopper import web_activations
from gateway.store.telemetry.metrics import Meter
from tests.integration.conftest import house, shared_server
from tests.integration.gateway.http.front import Front, app, settings_of
from tests.integration.house import House

__all__ = ["house", "shared_server"]

Opens = Callable[..., Awaitable[Front]]


@pytest.fixture
async def open_front(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the API with sections of settings beside the usual ones; it does not dawdle over PINs."""
    monkeypatch.setattr(web_activations, "ANSWER_AFTER_S", 0.0)
    monkeypatch.setattr(aliases, "UNKNOWN_AFTER_S", 0.0)
    clients: list[Any] = []

    async def open_(**sections: dict[str, Any]) -> Front:
        meter, poked = Meter(), list[bool]()
        client = TestClient(TestServer(app(house, settings_of(house, **sections), meter, poked)))
        await client.start_server()
        clients.append(client)
        return Front(house=house, client=client, meter=meter, poked=poked)

    yield open_
    for client in clients:
        await client.close()


@pytest.fixture
async def front(house: House, open_front: Opens) -> Front:
    """The API of firm acme with one running campaign."""
    house.firm()
    house.campaign()
    return await open_front()
