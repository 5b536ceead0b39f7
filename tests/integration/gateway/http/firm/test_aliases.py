"""`GET /v1/aliases/{alias}`: what a till is told, and what one that guesses is told instead."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from redis.exceptions import RedisError
from sqlalchemy import create_engine, update

from config.settings import AliasSettings
from gateway.domain.people.alias import alias_of, groups
from gateway.entry.cli import cli
from gateway.http.firm import aliases as http_aliases
from gateway.store.firms.tills import TillStore, Word
from gateway.store.people import aliases
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.sql import database, schema
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from gateway.store.vault.vault import Vault
from gateway.usecases.firms import set_up
from gateway.usecases.people.erase import erase
from tests.integration.gateway.http.front import Answer, Front
from tests.integration.gateway.usecases.people.test_erase import tools
from tests.integration.house import ANNA, BOHDAN, MASTER, House

ALARM = "till stopped"
NOBODYS: dict[str, Callable[[str], str]] = {
    "a wrong check digit": lambda alias: alias[:-1] + str((int(alias[-1]) + 1) % 10),
    "not given yet": lambda _: _alias(4_000_000),
    "beyond what is ever given at this length": lambda _: "000000000",
    "too short": lambda alias: alias[:-1],
    "too long": lambda alias: alias + alias,
    "no digits": lambda _: "hello",
    "very long": lambda _: "1" * 4000,
    "not ASCII": lambda _: "١٢٣٤٥٦٧٨٩",
    "a slash in it": lambda alias: alias[:3] + "%2F" + alias[3:],
}


def _alias(counter: int) -> str:
    return alias_of(counter, Vault(MASTER).derive("alias").hex())


async def given(front: Front, number: str = ANNA) -> str:
    """The alias of a shopper."""
    return (await front.house.call_desk().alias(number)).digits


def budget(**changes: int) -> dict[str, int]:
    """A section of the settings."""
    return {"lookups_per_minute": 1000, "misses_per_hour": 5, "misses_per_day": 8, **changes}


# What is told


async def test_a_till_is_told_that_an_alias_exists_and_the_points_at_its_own_firm(
    house: House, open_front: Any
) -> None:
    for firm in ("acme", "other"):
        house.firm(firm)
    await house.text(house.codes(house.campaign())[0])
    house.campaign("other")
    house.drain()
    front: Front = await open_front()
    alias = await given(front)
    acme, other = [await front.look_up(front.key(firm), alias) for firm in ("acme", "other")]

    assert (acme.status, acme.body) == (200, {"exists": True, "balance": 10})
    assert (other.status, other.body) == (200, {"exists": True, "balance": 0})
    assert acme.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("between", ["", " ", "%20", "-", "%E2%80%91", "."])
async def test_it_is_typed_as_it_was_said(front: Front, between: str) -> None:
    alias = await given(front)

    assert (await front.look_up(front.key(), between.join(groups(alias)))).status == 200


@pytest.mark.parametrize("why", NOBODYS)
async def test_what_nobody_has_is_unknown_in_the_same_words(front: Front, why: str) -> None:
    alias, key = await given(front), front.key()
    usual = await front.look_up(key, _alias(4_999_999))
    answer = await front.look_up(key, NOBODYS[why](alias))

    assert (answer.status, answer.problem, answer.body) == (404, "alias", usual.body)
    assert _headers(answer) == _headers(usual)


def _headers(answer: Answer) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name not in ("Date", "X-Request-ID", "X-Request-Id")
    }


async def test_an_alias_that_was_replaced_is_known_in_its_grace_and_then_no_more(front: Front) -> None:
    house, key = front.house, front.key()
    old = await given(front)
    await house.text("new alias")
    house.drain()
    in_grace = await front.look_up(key, old)
    with database.writing(house.engine) as connection:
        t = schema.alias
        connection.execute(update(t).where(t.c.id == 1).values(ends_at=int(time.time() * 1000)))

    assert in_grace.status == 200
    assert (await front.look_up(key, old)).status == 404
    assert (await front.look_up(key, await given(front))).status == 200


async def test_the_alias_of_a_person_who_was_erased_is_unknown(front: Front) -> None:
    alias, key = await given(front), front.key()
    erase(ANNA, tools(front.house))
    gone, again = await front.look_up(key, alias), await front.look_up(key, await given(front))

    assert (gone.status, again.status) == (404, 200)


async def test_an_unknown_one_is_told_no_sooner_than_any_other(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_aliases, "UNKNOWN_AFTER_S", 0.2)
    for said in ("hello", _alias(4_000_000)):
        begun = time.monotonic()
        await front.look_up(front.key(), said)
        assert time.monotonic() - begun >= 0.2


async def test_without_a_key_that_stands_nothing_is_told(front: Front) -> None:
    assert (await front.look_up("uc_never_made", await given(front))).status == 401


# Who guesses


async def test_a_till_that_tries_aliases_out_is_stopped_and_alarmed(
    house: House, open_front: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget(misses_per_hour=20, misses_per_day=60))
    real = [await given(front, f"38067000{n:04d}") for n in range(5)]
    key = set_up.new_api_key(house.engine, house.vault, "acme", "Kyiv 7, till 2")
    honest = front.key()
    guesses = [_alias(1_000_000 + n) for n in range(100)]
    answers = [await front.look_up(key, guess) for guess in guesses]
    stolen = [await front.look_up(key, alias) for alias in real]

    assert [a.status for a in answers] == [404] * 20 + [429] * 80
    assert [a.problem for a in stolen] == ["limited"] * 5
    assert 3000 <= int(stolen[-1].headers["Retry-After"]) <= 3600
    assert (await front.look_up(honest, real[0])).status == 200
    logged = capsys.readouterr().out
    assert logged.count(ALARM) == 1
    assert [alias for alias in (*real, *guesses) if alias in logged] == []
    assert _counted(front.meter) == {"found": 1, "unknown": 20, "stopped": 85, "tills stopped": 1}
    stopped, other = _tills(house, monkeypatch)
    assert (stopped["name"], *misses(stopped)) == ("Kyiv 7, till 2", 20, 20)
    assert stopped["stopped_at"].endswith("+00:00")
    assert (*misses(other), other["stopped_at"]) == (0, 0, None)

    pass_time(house, 1, 3601)
    assert (await front.look_up(key, real[0])).status == 200
    [again, _] = _tills(house, monkeypatch)
    assert (*misses(again), again["stopped_at"]) == (0, 20, None)


def misses(till: dict[str, Any]) -> tuple[int, int]:
    """Of the hour, and of the day."""
    return till["misses_of_hour"], till["misses_of_day"]


def _counted(meter: Meter) -> dict[str, float]:
    """The lookups by result, and how often a till was stopped."""
    results = ("found", "unknown", "stopped")
    return {result: meter.tick(measures.ALIAS_LOOKUPS, result).n for result in results} | {
        "tills stopped": meter.tick(measures.TILLS_STOPPED).n
    }


def _tills(house: House, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows of `undercap firm tills acme`."""
    monkeypatch.setenv("UNDERCAP_STATE_DIR", str(house.state))
    monkeypatch.setenv("UNDERCAP_SQL__URL", house.sql_url)
    monkeypatch.setenv("UNDERCAP_REDIS__URL", house.server_url)
    monkeypatch.setenv("UNDERCAP_MASTER_SECRET", MASTER.hex())
    done = CliRunner().invoke(cli, ["firm", "tills", "acme", "--json"])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.output)["tills"]
    return found


def pass_time(house: House, key_id: int, seconds: int) -> None:
    """Let a till's windows be older than they are: they count by Redis' own clock."""
    for start in ("ms", "hs", "ds"):
        house.redis.hincrby(keys.till(key_id), start, -seconds)


async def test_slips_of_the_fingers_close_no_till(house: House, open_front: Any) -> None:
    """The check digit shows them; nobody learns anything from asking for them."""
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget())
    key, alias = front.key(), await given(front)
    slips = [
        why for why in NOBODYS if why not in ("not given yet", "beyond what is ever given at this length")
    ]
    for _ in range(3):
        assert [(await front.look_up(key, NOBODYS[why](alias))).status for why in slips] == [404] * len(slips)
    assert _misses(house) == 0
    assert front.meter.tick(measures.ALIAS_LOOKUPS, "mistyped").n == 3 * len(slips)
    assert (await front.look_up(key, alias)).status == 200


async def test_an_operator_lets_a_stopped_till_go_on(
    house: House, open_front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget())
    key, other = front.key(), front.key()
    alias = await given(front)
    for one in (key, other):
        for n in range(5):
            await front.look_up(one, _alias(1_000_000 + n))
    assert [(await front.look_up(one, alias)).status for one in (key, other)] == [429, 429]
    _tills(house, monkeypatch)
    done = CliRunner().invoke(cli, ["firm", "lift", "1"])
    assert (done.exit_code, done.output) == (0, "lifted\n")
    assert [(await front.look_up(one, alias)).status for one in (key, other)] == [200, 429]
    assert _tills(house, monkeypatch)[0]["misses_of_day"] == 0
    assert "no API key 9 stands" in CliRunner().invoke(cli, ["firm", "lift", "9"]).output


async def test_a_key_has_its_places_however_the_header_spells_it(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(
        aliases=budget(misses_per_hour=1000, misses_per_day=1000) | {"lookups_at_once": 3}
    )
    key, other = front.key(), front.key()
    spelled = [f"{word}{' ' * n}{key}" for word in ("Bearer", "bearer", "BEARER") for n in range(1, 7)]

    async def ask(header: str) -> int:
        async with front.client.get("/v1/aliases/123456", headers={"Authorization": header}) as response:
            return response.status

    told = await asyncio.gather(*(ask(header) for header in spelled), ask(f"Bearer {other}"))
    assert Counter(told[:-1]) == {404: 3, 429: 15}
    assert told[-1] == 404


async def test_guesses_at_the_same_moment_are_no_way_around_the_budget(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget())
    key = front.key()
    answers = await asyncio.gather(*(front.look_up(key, _alias(1_000_000 + n)) for n in range(60)))

    assert sorted({a.status for a in answers}) == [404, 429]
    assert sum(a.status == 404 for a in answers) <= 5
    while (await front.look_up(key, _alias(2_000_000))).status == 404:
        pass
    assert _misses(house) == 5


def _misses(house: House) -> int:
    return int(house.redis.hget(keys.till(1), "hn") or 0)


async def test_many_found_at_the_same_moment_cost_no_budget(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget())
    key, alias = front.key(), await given(front)
    answers = await asyncio.gather(*(front.look_up(key, alias) for _ in range(60)))
    waits = {a.headers["Retry-After"] for a in answers if a.status == 429}

    assert waits <= {"1"}
    assert _misses(house) == 0
    assert (await front.look_up(key, alias)).status == 200


async def test_a_till_that_asks_for_hundreds_at_once_takes_no_other_till_its_turn(
    house: House, open_front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that are let in wait for Redis, each with a connection of the process's own pool."""
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget(misses_per_hour=1000, misses_per_day=1000))
    crowd, other, alias = front.key(), front.key(), await given(front)
    ask, slow, done = TillStore.ask, asyncio.Event(), asyncio.Event()
    refused: list[Answer] = []

    async def asks(store: TillStore, key_id: int) -> Any:
        if key_id == 1:
            pool: Any = house.client.connection_pool
            connection = await pool.get_connection()
            await slow.wait()
            await pool.release(connection)
        return await ask(store, key_id)

    async def burst() -> int:
        answer = await front.look_up(crowd, alias)
        if answer.status != 200:
            refused.append(answer)
        if len(refused) == 290:
            done.set()
        return answer.status

    async def twenty() -> float:
        begun = time.monotonic()
        assert [(await front.look_up(other, alias)).status for _ in range(20)] == [200] * 20
        return time.monotonic() - begun

    usual = await twenty()
    monkeypatch.setattr(TillStore, "ask", asks)
    monkeypatch.setattr(front.client.session.connector, "_limit", 0)  # as many at once as there are
    all_of_them = asyncio.gather(*(burst() for _ in range(300)))
    async with asyncio.timeout(20):
        await done.wait()
        meanwhile = await twenty()
    slow.set()

    assert Counter(await all_of_them) == {200: 10, 429: 290}
    assert {a.headers["Retry-After"] for a in refused} == {"1"}
    assert front.meter.tick(measures.ALIAS_LOOKUPS, "crowded").n == 290
    assert meanwhile < 3 * usual + 0.2
    assert (await front.look_up(crowd, alias)).status == 200


async def test_the_budget_of_a_day_holds_over_its_hours(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget())
    key = front.key()
    first = [(await front.look_up(key, _alias(3_000_000))).status for _ in range(6)]
    pass_time(house, 1, 3601)
    second = [await front.look_up(key, _alias(3_000_000)) for _ in range(4)]
    pass_time(house, 1, 3601)
    third = await front.look_up(key, await given(front))
    pass_time(house, 1, 86_400)

    assert first == [404] * 5 + [429]
    assert [a.status for a in second] == [404] * 3 + [429]
    assert third.status == 429
    assert 86_400 - 7202 - 600 < int(third.headers["Retry-After"]) <= 86_400 - 7202 + 1
    assert (await front.look_up(key, await given(front))).status == 200


async def test_there_are_so_many_lookups_a_minute(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(aliases=budget(lookups_per_minute=3))
    key, alias = front.key(), await given(front)
    answers = [await front.look_up(key, alias) for _ in range(4)]

    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    pass_time(house, 1, 60)
    assert (await front.look_up(key, alias)).status == 200


async def test_an_honest_till_mistypes_within_the_usual_budget(front: Front) -> None:
    """One in ten is mistyped, three a minute, for an hour."""
    key, alias = front.key(), await given(front)
    statuses = []
    for at in range(180):
        wrong = at % 10 == 9
        statuses.append((await front.look_up(key, "123" if wrong else alias)).status)
        if at % 3 == 2:
            pass_time(front.house, 1, 60)

    assert set(statuses) == {200, 404}


async def test_lookups_of_a_process_that_died_are_no_debt_for_ever(house: House) -> None:
    store = TillStore(DurableRedis(house.client), AliasSettings(misses_per_hour=2))
    words = [(await store.ask(1)).word for _ in range(3)]
    pass_time(house, 1, 60)

    assert words == [Word.GO, Word.GO, Word.BUSY]
    assert (await store.ask(1)).word is Word.GO


# Faults


async def test_without_redis_nobody_is_told_anything(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    key, alias = front.key(), await given(front)

    async def away(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr("gateway.store.redis.durable.DurableRedis.call", away)
    for said in (alias, "hello"):
        answer = await front.look_up(key, said)
        assert (answer.status, answer.problem) == (503, "away")


async def test_without_sql_nobody_is_told_anything_and_no_miss_is_counted(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, alias = front.key(), await given(front)
    gone = create_engine("sqlite:////nowhere/undercap.db")
    look_up = aliases.AliasLookups(gone)._balance
    monkeypatch.setattr(aliases.AliasLookups, "_balance", lambda _, *asked: look_up(*asked))
    answer = await front.look_up(key, alias)

    assert (answer.status, answer.problem) == (503, "away")
    assert _misses(front.house) == 0
    assert BOHDAN not in str(answer.body)
