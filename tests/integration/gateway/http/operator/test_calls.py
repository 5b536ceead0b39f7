"""The operator's view of calls, held against the description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.http import guard
from gateway.http.operator import calls as call_routes
from gateway.store.calls import records, reports
from gateway.store.calls.reports import CallReport
from gateway.store.redis import keys
from gateway.store.telemetry.metrics import Meter
from tests import described
from tests.integration.gateway.http.front import Client
from tests.integration.gateway.store.calls.test_call_records import DAY, row
from tests.integration.house import House

TOKEN = "an operator's token"


@pytest.fixture
async def operator(house: House) -> AsyncIterator[Client]:
    house.firm()
    app = web.Application(middlewares=[guard.middleware(Meter())])
    app.add_routes(call_routes.routes(house.client, house.engine, TOKEN))
    async with TestClient(TestServer(app)) as client:
        yield client


async def asked(client: Client, token: str = TOKEN, **query: str) -> tuple[int, Any]:
    """/v1/calls with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with client.get(call_routes.PATH, headers=headers, params=query) as response:
        told = await response.json()
        kind = response.content_type
        assert described.response_faults("GET", call_routes.PATH, response.status, kind, told) == []
        return response.status, told


async def test_calls_now_and_since_a_moment(operator: Client, house: House) -> None:
    for name, now, offers in (("b 2", 5, None), ("a 1", 2, 3)):
        await reports.tell(house.client, CallReport(process=name, calls=now, most=1000, offers=offers))
    records.write(house.engine, [row(1), row(2, answered_at=None), row(3, answered_at=None)])

    status, told = await asked(operator, since="2023-11-14T22:13:20Z")
    assert status == 200
    assert told.pop("processes") == [
        {"process": "a 1", "calls": 2, "most": 1000, "offers": 3, "fault": ""},
        {"process": "b 2", "calls": 5, "most": 1000, "offers": None, "fault": ""},
    ]
    assert told == {
        "now": 7,
        "since": "2023-11-14T22:13:20+00:00",
        "calls": 3,
        "answered": 1,
        "answer_rate": 0.3333,
        "seconds": 60.0,
        "outcomes": {"hung_up": 3},
        "faults": {},
        "callers": {"known": 3},
        "keys": {"1": 3, "4": 3, "#": 3},
    }


async def test_a_process_that_says_nothing_any_more_is_gone(operator: Client, house: House) -> None:
    for name in ("a 1", "b 2"):
        await reports.tell(house.client, CallReport(process=name, calls=3, most=1000))
    at, _, said = house.redis.hget(keys.CALLS_NOW, "a 1").decode().partition("|")  # type: ignore[union-attr]
    house.redis.hset(keys.CALLS_NOW, "a 1", f"{int(at) - keys.STATUS_TTL}|{said}")

    assert [told["process"] for told in (await asked(operator))[1]["processes"]] == ["b 2"]
    assert house.redis.hkeys(keys.CALLS_NOW) == [b"b 2"]
    assert 0 < int(house.redis.ttl(keys.CALLS_NOW)) <= keys.STATUS_TTL


async def test_what_else_stands_in_redis_is_not_looked_at(operator: Client, house: House) -> None:
    await reports.tell(house.client, CallReport(process="a 1", calls=3, most=1000))
    house.redis.config_resetstat()
    await asked(operator)
    commands: Any = house.redis.info("commandstats")
    assert set(commands) <= {
        f"cmdstat_{name}" for name in ("eval", "hgetall", "time", "config|resetstat", "info")
    }


async def test_by_default_of_today(operator: Client, house: House) -> None:
    records.write(house.engine, [row(1, started_at=DAY)])
    status, told = await asked(operator)
    assert (status, told["calls"], told["answer_rate"], told["now"]) == (200, 0, None, 0)


@pytest.mark.parametrize("since", ["yesterday", "", "0001-01-01T00:00:00+23:00", "2023-11-14T25:00"])
async def test_what_is_no_moment(operator: Client, since: str) -> None:
    assert (await asked(operator, since=since))[0] == 400


@pytest.mark.parametrize("token", ["", "another"])
async def test_told_to_nobody_else(operator: Client, token: str) -> None:
    assert (await asked(operator, token))[0] == 401
