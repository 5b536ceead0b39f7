"""`/healthz`, `/readyz` and `/metrics` on the real Valkey and SQLite."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.settings import RedisSettings
from gateway.domain.sms.priority import Priority
from gateway.http import guard
from gateway.http.firm import messages
from gateway.http.operator import health, links, metrics
from gateway.store.calls import reports
from gateway.store.calls.reports import CallReport
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.links.reports import LinkReport
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.telemetry.metrics import Meter
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.usecases.firms import set_up
from gateway.usecases.operations import readiness
from gateway.usecases.operations.readiness import Readiness
from tests import described
from tests.databases import Databases
from tests.integration.house import ANNA, LINK, SHORT, House, ended

Client = TestClient[web.Request, web.Application]
TOKEN = "a token of an operator"
BOUND = LinkReport(
    state="bound",
    fault="",
    holder="here 1",
    window=100,
    pace=50.0,
    in_flight=7,
    taken=9,
    received=3,
    submitted=4,
    throttled=1,
    received_per_s=1.5,
    submitted_per_s=2.0,
    binds=[{"bind": "transceiver", "host": "smsc.example.net:2775"}, {"bind": "receiver", "host": ""}],
)


@pytest.fixture
async def operator(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A client of the operator's routes; every question is asked anew."""
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)
    monkeypatch.setattr(readiness, "DURABILITY_KEPT_S", 0.0)
    house.firm()
    house.campaign()

    def firms() -> list[int]:
        return list(house.catalog.firms)

    asked = Readiness(
        redis=house.client,
        sync_redis=house.redis,
        engine=house.engine,
        deployment=house.deployment,
        settings=RedisSettings(),
        firms=firms,
        links=[LINK],
    )
    app = web.Application(middlewares=[guard.middleware(Meter())])
    app.add_routes(health.routes(asked))
    app.add_routes(messages.routes(house.engine, TOKEN, ApiKeys(house.engine, house.vault)))
    app.add_routes(links.routes(house.client, TOKEN, firms=firms, links=[LINK, "other"]))
    app.add_routes(metrics.routes(tmp_path / "metrics", house.client, asked, firms=firms, links=[LINK]))
    (tmp_path / "metrics").mkdir()
    client = TestClient(TestServer(app))
    await client.start_server()
    yield client
    await client.close()


async def ready(client: Client) -> tuple[int, dict[str, Any]]:
    """Status, and the components' own."""
    async with client.get("/readyz") as response:
        told = await response.json()
        assert described.response_faults("GET", "/readyz", response.status, response.content_type, told) == []
        grades = {name: part["status"] for name, part in told["components"].items()}
        return response.status, {"all": told["status"], **grades}


def says(house: House, process: str, body: object) -> None:
    """What a process tells of itself."""
    house.redis.set(keys.status(process), json.dumps(body))


def well(house: House) -> None:
    """All processes tell that they are."""
    bound(house)
    says(house, "worker", {"ledger": ""})
    says(house, "blasts", {"swept_s": 0.2, "fault": ""})


def bound(house: House) -> None:
    """The holder of the link tells that it is bound."""
    house.redis.set(keys.link_status(LINK), json.dumps(asdict(BOUND)))


FINE = {
    "all": "ok",
    "redis": "ok",
    "presence": "ok",
    "sql": "ok",
    "links": "ok",
    "worker": "ok",
    "blasts": "ok",
    "settlement": "ok",
    "suspects": "ok",
    "dead_letters": "ok",
}


async def test_alive_is_alive_whatever_else_is(operator: Client) -> None:
    async with operator.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_ready_when_every_component_is(operator: Client, house: House) -> None:
    well(house)
    assert await ready(operator) == (200, FINE)


async def test_calls_are_a_part_where_they_are_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)
    asked = Readiness(
        redis=house.client,
        sync_redis=house.redis,
        engine=house.engine,
        deployment=house.deployment,
        settings=RedisSettings(),
        firms=list,
        links=[],
        calls=True,
    )
    grades = []
    for fault in (None, "", "Asterisk is away"):
        if fault is not None:
            await reports.tell(house.client, CallReport(process="a 1", calls=0, most=9, fault=fault))
        grades += [(part.grade, part.told) for part in await asked.parts() if part.name == "calls"]
    assert grades == [
        ("degraded", "no ivr process reports: is `undercap ivr` running?"),
        ("ok", "1 processes"),
        ("degraded", "Asterisk is away"),
    ]


async def test_asking_changes_nothing(operator: Client, house: House) -> None:
    well(house)
    before = {name: house.redis.dump(name) for name in house.names()}
    await ready(operator)
    async with operator.get("/metrics") as response:
        await response.text()
    assert {name: house.redis.dump(name) for name in house.names()} == before


async def test_processes_that_say_nothing_have_failed(operator: Client) -> None:
    failed = {"links": "failed", "worker": "failed", "blasts": "degraded"}
    assert await ready(operator) == (503, {**FINE, "all": "failed", **failed})


async def test_without_blasts_the_gateway_may_be_given_work(operator: Client, house: House) -> None:
    well(house)
    house.redis.delete(keys.status("blasts"))
    assert await ready(operator) == (200, {**FINE, "all": "degraded", "blasts": "degraded"})


async def test_a_redis_behind_the_ledger_has_failed(operator: Client, house: House) -> None:
    code = house.codes(1)[0]
    await house.text(code)
    house.drain()
    well(house)
    assert (await ready(operator))[0] == 200
    house.redis.delete(keys.gate(1))
    status, grades = await ready(operator)
    assert (status, grades["presence"]) == (503, "failed")
    house.redis.delete(keys.DEPLOYMENT)
    async with operator.get("/readyz") as response:
        told = (await response.json())["components"]["presence"]["detail"]
    assert told == "empty: run `undercap rebuild`"


async def test_texts_that_wait_too_long_are_noticed(operator: Client, house: House) -> None:
    well(house)
    says(house, "worker", {"ledger": "timeout"})
    seconds, _ = house.redis.time()
    house.redis.xadd(keys.outbox(1), {"b": "x"}, id=f"{(seconds - 60) * 1000}-0")
    status, grades = await ready(operator)
    assert (status, grades["settlement"], grades["worker"]) == (200, "degraded", "degraded")
    async with operator.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    lag = next(float(line.split()[1]) for line in lines if line.startswith("undercap_settlement_lag"))
    assert 59 < lag < 70
    assert "undercap_outbox_texts 1.0" in lines
    assert 'undercap_component_status{component="settlement"} 1.0' in lines


async def test_dead_letters_ask_for_somebody(operator: Client, house: House) -> None:
    well(house)
    house.redis.xadd(keys.dead(1), {"why": "unreadable"})
    assert await ready(operator) == (200, {**FINE, "all": "degraded", "dead_letters": "degraded"})


async def test_outcomes_and_receipts_that_were_laid_aside_are_told(operator: Client, house: House) -> None:
    well(house)
    house.redis.xadd(keys.results_spool(1).aside, {"why": "unreadable"})
    house.redis.xadd(keys.receipts_spool(LINK).aside, {"why": "unreadable"})
    async with operator.get("/readyz") as response:
        told = (await response.json())["components"]["dead_letters"]["detail"]
    assert told == "1 outcomes, 1 receipts: see `undercap dead list`"
    async with operator.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    assert 'undercap_laid_aside{kind="receipt"} 1.0' in lines


async def test_one_text_that_fails_while_others_are_settled_is_no_failure_of_the_gateway(
    operator: Client, house: House
) -> None:
    well(house)
    seconds, _ = house.redis.time()
    old: Any = house.redis.xadd(keys.outbox(1), {"b": "x"}, id=f"{(seconds - 900) * 1000}-0")
    house.redis.hset(keys.attempts(1), old, f"3 9 1 {(seconds + 20) * 1000}")
    assert await ready(operator) == (200, {**FINE, "all": "degraded", "suspects": "degraded"})


async def test_a_ledger_that_is_gone_is_told_and_not_waited_for(
    operator: Client, house: House, database: Databases
) -> None:
    database.lose(house.state)
    house.engine.dispose()
    status, grades = await ready(operator)
    assert (status, grades["sql"], grades["presence"]) == (503, "failed", "failed")


async def asked(client: Client, token: str) -> tuple[int, Any]:
    """/v1/links with this token."""
    async with client.get("/v1/links", headers={"Authorization": f"Bearer {token}"}) as response:
        told = await response.json()
        kind = response.content_type
        assert described.response_faults("GET", "/v1/links", response.status, kind, told) == []
        return response.status, told


async def test_links_are_told_to_whoever_shows_the_token(operator: Client, house: House) -> None:
    bound(house)
    seconds, _ = house.redis.time()
    house.redis.xadd(keys.send(1, LINK), {"m": "x"}, id=f"{(seconds - 60) * 1000}-0")
    house.redis.xadd(keys.send(1, LINK, Priority.BULK), {"m": "x"})
    status, told = await asked(operator, TOKEN)
    assert status == 200
    first, other = told["links"]
    assert 59 < first.pop("oldest_s") < 70
    queue = {"reply": 1, "service": 0, "bulk": 1}
    assert first == {"name": LINK, **asdict(BOUND), "queue": queue}
    nothing = {"reply": 0, "service": 0, "bulk": 0}
    assert other == {"name": "other", "state": "unheld", "queue": nothing, "oldest_s": 0}


async def test_one_text_and_what_became_of_it(operator: Client, house: House) -> None:
    await house.text("balance")
    house.drain()
    (waiting,) = await house.send_queue().take(1, 1)
    path = f"/v1/messages/{waiting.message_id}"
    for state, change in (("queued", None), ("failed", ended(waiting, "failed", error="0xb"))):
        if change is not None:
            await house.send_queue().file([change])
            house.drain()
        async with operator.get(path, headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            told, kind = await response.json(), response.content_type
        assert described.response_faults("GET", "/v1/messages/{id}", response.status, kind, told) == []
        assert (told["state"], told["outcomes"], told["segments"]) == (state, ["balance"], 1)
    assert (told["error"], told["ended_at"]) == ("0xb", "2023-11-14T22:13:20.000+00:00")
    assert told["accepted_at"] is None
    assert ANNA not in str(told)


async def test_a_firm_sees_what_became_of_its_own_texts(operator: Client, house: House) -> None:
    house.firm("other")
    await house.text("balance")
    house.drain()
    (waiting,) = await house.send_queue().take(1, 1)
    await house.send_queue().file([ended(waiting, smsc_id="a1")])
    house.drain()
    receipt = FiledReceipt("a1", "failed", "UNDELIV 027", 1_700_000_001_000, house.vault.index(ANNA))
    await ReceiptLog(DurableRedis(house.client)).add(LINK, [receipt])
    house.drain()
    own, others = (set_up.new_api_key(house.engine, house.vault, firm) for firm in ("acme", "other"))
    path = f"/v1/messages/{waiting.message_id}"

    async with operator.get(path, headers={"Authorization": f"Bearer {others}"}) as response:
        assert response.status == 404
    async with operator.get(path, headers={"Authorization": f"Bearer {own}"}) as response:
        told, kind = await response.json(), response.content_type
    assert described.response_faults("GET", "/v1/messages/{id}", response.status, kind, told) == []
    assert told.pop("queued_at")
    assert told == {
        "id": waiting.message_id,
        "kind": "reply",
        "state": "failed",
        "short_number": SHORT,
        "outcomes": ["balance"],
        "segments": 1,
        "attempts": 1,
        "error": "UNDELIV 027",
        "accepted_at": "2023-11-14T22:13:20.000+00:00",
        "ended_at": "2023-11-14T22:13:21.000+00:00",
    }


@pytest.mark.parametrize(
    ("token", "id_", "status"),
    [
        (TOKEN, "0" * 24 + ".1", 404),
        ("", "0" * 24 + ".1", 401),
        ("uc_nobodys", "0" * 24 + ".1", 401),
        (TOKEN, "'; --", 404),
    ],
)
async def test_no_such_text(operator: Client, token: str, id_: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with operator.get(f"/v1/messages/{id_}", headers=headers) as response:
        assert response.status == status


@pytest.mark.parametrize("token", ["", "another token", TOKEN + "x"])
async def test_links_are_told_to_nobody_else(operator: Client, token: str) -> None:
    assert (await asked(operator, token))[0] == 401


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}])
async def test_without_a_token_in_the_settings_nobody_may_ask(house: House, shown: dict[str, str]) -> None:
    app = web.Application(middlewares=[guard.middleware(Meter())])
    app.add_routes(links.routes(house.client, "", firms=list, links=[LINK]))
    async with TestClient(TestServer(app)) as client, client.get("/v1/links", headers=shown) as response:
        assert response.status == 401
