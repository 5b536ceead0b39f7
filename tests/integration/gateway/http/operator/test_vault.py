"""`GET /v1/vault/accesses`: the operator's report, as described, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert

from gateway.http import guard
from gateway.http.operator import vault
from gateway.store.sql import database, schema
from gateway.store.telemetry.metrics import Meter
from gateway.store.vault import access_report
from tests import described
from tests.integration.house import House

Client = TestClient[web.Request, web.Application]
TOKEN = "a token of an operator"
MINUTE = 1_700_000_040_000


def app(house: House, token: str) -> web.Application:
    made = web.Application(middlewares=[guard.middleware(Meter())])
    made.add_routes(vault.routes(house.engine, token))
    return made


@pytest.fixture
async def operator(house: House) -> AsyncIterator[Client]:
    """A client of a house in which something was opened."""
    counts = [("worker", "reply", 2, 0), ("worker", "reply", 3, 60_000), ("smpp", "answer", 7, 0)]
    with database.writing(house.engine) as connection:
        for process, purpose, opened, after in counts:
            row = {"process": process, "purpose": purpose, "opened": opened, "minute_at": MINUTE + after}
            connection.execute(insert(schema.vault_access).values(row))
        access_report.note(connection, "olha", "look-up", None)
    async with TestClient(TestServer(app(house, TOKEN))) as client:
        yield client


async def asked(client: Client, query: str = "", token: str = TOKEN) -> tuple[int, Any]:
    """The status and the body, which must be as described."""
    headers = {"Authorization": f"Bearer {token}"}
    async with client.get(f"{vault.PATH}{query}", headers=headers) as response:
        told = await response.json()
        kind = response.content_type
        assert described.response_faults("GET", vault.PATH, response.status, kind, told) == []
        return response.status, told


async def test_counts_and_single_accesses(operator: Client) -> None:
    status, told = await asked(operator)

    assert status == 200
    assert told["opened"] == [
        {
            "process": "smpp",
            "purpose": "answer",
            "opened": 7,
            "first_at": "2023-11-14T22:14:00.000+00:00",
            "last_at": "2023-11-14T22:14:00.000+00:00",
        },
        {
            "process": "worker",
            "purpose": "reply",
            "opened": 5,
            "first_at": "2023-11-14T22:14:00.000+00:00",
            "last_at": "2023-11-14T22:15:00.000+00:00",
        },
    ]
    assert [(a["who"], a["purpose"], a["shopper"]) for a in told["accesses"]] == [("olha", "look-up", None)]
    assert told["more"] is False


SPANS = [
    ("?purpose=reply", [5], 0),
    ("?purpose=look-up", [], 1),
    ("?since=2023-11-14T22:15:00Z", [3], 1),
    ("?until=2023-11-14T22:15:00", [7, 2], 0),
    ("?since=2023-11-14T22:14:00Z&until=2023-11-14T22:14:00Z", [], 0),
]


@pytest.mark.parametrize(("query", "counts", "single"), SPANS)
async def test_a_part_of_it(operator: Client, query: str, counts: list[int], single: int) -> None:
    _, told = await asked(operator, query)
    assert [o["opened"] for o in told["opened"]] == counts
    assert len(told["accesses"]) == single


async def test_of_many_accesses_the_newest_are_listed(
    operator: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_report, "MOST_ACCESSES", 2)
    for who in ("one", "two", "three"):
        with database.writing(house.engine) as connection:
            access_report.note(connection, who, "look-up", None)

    _, told = await asked(operator)
    assert [a["who"] for a in told["accesses"]] == ["three", "two"]
    assert told["more"] is True


@pytest.mark.parametrize("query", ["?since=soon", "?until=", "?number=380671234567", f"?purpose={'x' * 21}"])
async def test_what_is_not_described_is_refused(operator: Client, query: str) -> None:
    status, told = await asked(operator, query)
    assert (status, told["type"]) == (400, "/v1/problems/bad-request")
    assert "380671234567" not in str(told)


@pytest.mark.parametrize("token", ["", "another token of an operator"])
async def test_nobody_else_is_told(operator: Client, token: str) -> None:
    assert (await asked(operator, token=token))[0] == 401


async def test_without_a_token_nobody_may_ask(house: House) -> None:
    async with TestClient(TestServer(app(house, ""))) as client:
        assert (await asked(client, token=""))[0] == 401
