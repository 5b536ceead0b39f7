"""Audiences and blasts by HTTP, each answer held against the description; nobody's number is in any."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from campaigns.http import audiences, blasts
from campaigns.http.asking import Asking
from gateway.domain.offers.offer_call import Outcome
from gateway.http import guard
from gateway.http.fields import Terms
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.firms import set_up
from tests import described
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import FREE, WORDS, Market
from tests.integration.house import LINK


class Caller:
    """Somebody with a firm's API key."""

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key
        self.heard = ""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON."""
        headers = {"Authorization": f"Bearer {self._key}"}
        async with self._client.request(method, path, json=body, headers=headers) as response:
            told = None if response.status == 204 else await response.json()
            self.heard += await response.text()
            template = re.sub(r"/\d+(?=/|$)", "/{id}", path.partition("?")[0])
            if told is None:
                assert "204" in described.description()["paths"][template][method.lower()]["responses"]
                return response.status, told
            wrong = described.response_faults(method, template, response.status, response.content_type, told)
            assert wrong == []
            return response.status, told


@pytest.fixture
async def caller(market: Market) -> AsyncIterator[Caller]:
    """The marketer of the market's firm."""
    app = web.Application(middlewares=[guard.middleware(Meter())])
    asking = Asking(market.desk, ApiKeys(market.house.engine, market.house.vault))
    app.add_routes(audiences.routes(asking))
    app.add_routes(blasts.routes(asking, Terms(link=lambda _: LINK, regions=(), most_codes=1)))
    key = set_up.new_api_key(market.house.engine, market.house.vault, "acme")
    async with TestClient(TestServer(app)) as client:
        yield Caller(client, key)


async def test_from_the_audience_to_the_results(caller: Caller, market: Market) -> None:
    numbers = market.shoppers(30)
    market.shoppers(11, first=100, consent="out:1")
    status, audience = await caller.ask("POST", "/v1/audiences", {"name": "all"})
    assert (status, audience["shoppers"] in (40, 50)) == (201, True)
    status, sample = await caller.ask("GET", f"/v1/audiences/{audience['id']}/sample?most=3")
    assert (status, len(sample["shoppers"])) == (200, 3)
    assert sample["shoppers"][0]["region"] == "38067"

    draft = {"name": "Spring", "audience": audience["id"], "campaign": market.campaign, "texts": WORDS}
    status, blast = await caller.ask("POST", "/v1/blasts", draft)
    assert (status, blast["state"], blast["expected"]) == (201, "draft", None)
    one = f"/v1/blasts/{blast['id']}"
    status, preview = await caller.ask("GET", f"{one}/preview?most=2")
    assert [text["text"] for text in preview["texts"]] == ["Вітаємо! 10 балів у Acme. Відмова: СТОП"] * 2
    assert (preview["texts"][0]["segments"], preview["texts"][0]["encoding"]) == (1, "ucs2")
    status, flight = await caller.ask("POST", f"{one}/preflight")
    assert (flight["may_launch"], flight["now"], set(flight["denied"])) == (True, 30, {"withdrawn"})
    assert flight["denied"]["withdrawn"] in (10, 20)

    assert (await caller.ask("POST", f"{one}/launch"))[1]["state"] == "running"
    market.fan_out(await _of(market, blast["id"]))
    await market.send_all()
    market.fan_out(await _of(market, blast["id"]))
    status, results = await caller.ask("GET", f"{one}/results")
    assert (results["state"], results["texts_by_state"]["sent"]) == ("finished", 30)
    assert (results["denied"]["withdrawn"] in (10, 20), results["opted_out"]) == (True, "fewer than 10")
    assert (await caller.ask("GET", f"{one}/unknown"))[1] == {"texts": []}
    status, problem = await caller.ask("POST", f"{one}/resume")
    assert (status, problem["type"]) == (409, "/v1/problems/refused")
    assert "it can resume only while it is paused" in problem["errors"][0]["detail"]
    assert [number for number in numbers if number in caller.heard] == []


async def test_a_preflight_of_many_looks_at_some_and_says_so(
    caller: Caller, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.preflight.preflight.PAGE", 20)
    monkeypatch.setattr("campaigns.lifecycle.lifecycle.LOOKED_AT_LAUNCH", 40)
    market.shoppers(25)
    market.shoppers(12, first=100, consent="out:1")
    market.shoppers(3, first=200, consent="")
    market.shoppers(160, first=300)
    blast = market.blast()
    status, flight = await caller.ask("POST", f"/v1/blasts/{blast.id}/preflight")
    assert (status, flight["audience"], flight["looked_at"]) == (200, 200, 40)
    assert (flight["now"] in (100, 150), flight["segments"]["total"] > 0) == (True, True)
    assert flight["denied"]["withdrawn"] in (50, 100)
    assert flight["denied"].get("no_consent", 50) == 50
    assert flight["held_out"] == "fewer than 50"


async def _of(market: Market, id_: int) -> Any:
    from gateway.store.offers import blasts as stored

    return stored.find(market.house.engine, id_)


async def test_what_is_of_another_firm_is_not_there(caller: Caller, market: Market) -> None:
    other = market.house.firm("other")
    foreign = market.desk.audiences.add(other, "theirs", market.audience("ours").definition, market.now)
    market.shoppers(1)
    assert (await caller.ask("GET", f"/v1/audiences/{foreign.id}"))[0] == 404
    draft = {"name": "x", "audience": foreign.id, "campaign": market.campaign, "texts": WORDS}
    status, problem = await caller.ask("POST", "/v1/blasts", draft)
    assert (status, problem["errors"][0]["detail"]) == (
        409,
        f"there is no audience {foreign.id}: see the list of audiences",
    )
    assert (await caller.ask("GET", "/v1/blasts/77"))[0] == 404


async def test_a_list_is_uploaded_by_reference(caller: Caller, market: Market) -> None:
    market.shoppers(12)
    body = {"name": "list", "definition": {"uploaded": True}}
    _, audience = await caller.ask("POST", "/v1/audiences", body)
    path = f"/v1/audiences/{audience['id']}/references"
    references = [market.desk.reference(market.firm, id_) for id_ in range(1, 12)]
    status, told = await caller.ask("POST", path, {"references": [*references, "4k2v9q0m8t3x"]})
    assert (status, told["received"], told["known"], len(told["refused"])) == (200, 12, 11, 1)
    assert (await caller.ask("GET", f"/v1/audiences/{audience['id']}"))[1]["shoppers"] in (10, 20)
    assert (await caller.ask("DELETE", path))[1]["shoppers"] == 0


async def test_a_text_is_tried_out_on_ones_own_phone_a_few_times_a_day(
    caller: Caller, market: Market
) -> None:
    blast = market.blast()
    path = f"/v1/blasts/{blast.id}/test"
    status, told = await caller.ask("POST", path, {"phone": "+380 67 765 43 21", "language": "uk"})
    assert status == 202
    assert market.house.waiting_answers(market.firm) == [
        ("380677654321", "Вітаємо! 120 балів у Acme. Відмова: СТОП")
    ]
    market.say("380671112233", "out:5")
    assert (await caller.ask("POST", path, {"phone": "+380671112233"}))[0] == 409
    statuses = [(await caller.ask("POST", path, {"phone": "+380677654321"}))[0] for _ in range(20)]
    assert statuses == [202] * 19 + [409]
    assert (await caller.ask("POST", path, {"phone": "12"}))[0] == 400
    assert "380677654321" not in caller.heard + told["message"]


async def test_whoever_shows_no_key_is_refused(caller: Caller) -> None:
    caller._key = "uc_wrong"
    assert (await caller.ask("GET", "/v1/blasts"))[0] == 401


async def test_a_blast_by_call_and_the_text_that_follows_it(
    caller: Caller, market: Market, dialling: Dialling
) -> None:
    numbers = market.shoppers(30)
    audience = market.audience().id
    said = {"intro": dialling.recording("uk", ms=4000), "offer": dialling.recording("uk", ms=11_000)}
    plan = {"spoken": {"uk": said}, "calls_per_s": 5, "on_machine": "leave_message", "free_number": FREE}
    usual = {"campaign": market.campaign, "texts": WORDS, "fallback": "uk"}
    draft = {"name": "Call", "channel": "call", "audience": audience, "call": plan, **usual}
    status, blast = await caller.ask("POST", "/v1/blasts", draft)
    assert (status, blast["channel"], blast["call"]["spoken"]) == (201, "call", {"uk": said})
    one = f"/v1/blasts/{blast['id']}"
    _, flight = await caller.ask("POST", f"{one}/preflight")
    assert (flight["may_launch"], flight["now"], flight["calls"]["expected"]) == (True, 30, 50)
    await caller.ask("POST", f"{one}/launch")

    behind = {"name": "Text", "follows": blast["id"], **usual}
    status, text = await caller.ask("POST", "/v1/blasts", behind)
    assert (status, text["follows"], text["audience"]) == (201, blast["id"], audience)
    two = f"/v1/blasts/{text['id']}"
    assert (await caller.ask("POST", f"{two}/preflight"))[1]["may_launch"]
    assert (await caller.ask("POST", f"{two}/launch"))[1]["expected"] is None

    running = await _of(market, blast["id"])
    market.fan_out(running)
    dialling.end(running, Outcome.NO_ANSWER, *range(1, 13))
    dialling.end(running, Outcome.UNKNOWN, 13)
    dialling.end(running, Outcome.ACCEPTED)
    market.fan_out(running)
    following = await _of(market, text["id"])
    market.fan_out(following)
    assert len(await market.send_all()) == 12
    market.fan_out(following)
    _, found = await caller.ask("GET", f"{one}/results")
    assert set(found["calls"]["by_outcome"]) == {"accepted", "no_answer"}
    assert set(found["calls"]["by_outcome"].values()) <= {10, 20}
    assert (found["calls"]["unknown"], found["activated"]["called"]["people"]) == (1, 30)
    _, listed = await caller.ask("GET", f"{one}/unknown")
    assert [row["reference"] for row in listed["calls"]] == [market.desk.reference(market.firm, 13)]
    assert (await caller.ask("GET", f"{one}/unknown?after={listed['calls'][0]['reference']}"))[1] == {
        "calls": []
    }
    _, found = await caller.ask("GET", f"{two}/results")
    assert (found["state"], found["texts_by_state"]["sent"]) in (("finished", 10), ("finished", 20))
    assert [number for number in numbers if number in caller.heard] == []


WRONG: dict[str, dict[str, Any]] = {
    "a call without its plan": {"channel": "call"},
    "a plan without its channel": {"call": {"spoken": {"uk": {"intro": 1, "offer": 2}}}},
    "nothing to say": {"channel": "call", "call": {"spoken": {}}},
    "a word that is none": {
        "channel": "call",
        "call": {"spoken": {"uk": {"intro": 1, "offer": 2}}, "on_machine": "shout"},
    },
    "too fast": {"channel": "call", "call": {"spoken": {"uk": {"intro": 1, "offer": 2}}, "calls_per_s": 900}},
    "no time at all": {"follows": 1, "follow_after_s": 0},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
async def test_a_draft_that_is_not_as_described_is_refused(
    caller: Caller, market: Market, changes: dict[str, Any]
) -> None:
    draft = {"name": "x", "audience": 1, "campaign": market.campaign, "texts": WORDS, **changes}
    assert (await caller.ask("POST", "/v1/blasts", draft))[0] == 400
    schema = {"$ref": "#/components/schemas/NewBlast"}
    assert described.faults(schema, draft)


async def test_blasts_edited_copied_and_deleted(caller: Caller, market: Market) -> None:
    market.shoppers(12)
    audience = market.audience()
    draft = {"name": "Spring", "audience": audience.id, "campaign": market.campaign, "texts": WORDS}
    blast = (await caller.ask("POST", "/v1/blasts", draft))[1]
    one = f"/v1/blasts/{blast['id']}"

    said = {"revision": blast["revision"], "name": "Autumn", "starts_at": "2098-01-01T09:00:00Z"}
    status, edited = await caller.ask("PATCH", one, said | {"expires_at": None})
    assert (status, edited["name"], edited["revision"]) == (200, "Autumn", 2)
    assert edited["starts_at"] == "2098-01-01T09:00:00+00:00"
    assert edited["expires_at"] == "2098-01-08T09:00:00+00:00"
    assert edited["texts"] == blast["texts"]
    status, told = await caller.ask("PATCH", one, said)
    assert (status, "revision 2" in told["errors"][0]["detail"]) == (409, True)
    wrong: list[dict[str, object]] = [
        {"revision": 2},
        {"name": "Autumn"},
        {"revision": 2, "name": None},
        {"revision": 2, "channel": "call"},
        {"revision": 2, "follows": 1},
        {"revision": 2, "texts": {}},
    ]
    assert [(await caller.ask("PATCH", one, body))[0] for body in wrong] == [400] * len(wrong)
    status, edited = await caller.ask("PATCH", one, {"revision": 2, "starts_at": None, "expires_at": None})
    assert (status, edited["starts_at"]) == (200, None)

    status, copied = await caller.ask("POST", f"{one}/copy", {})
    assert (status, copied["name"], copied["state"]) == (201, "Autumn (copy)", "draft")
    assert await caller.ask("DELETE", one) == (204, None)
    assert (await caller.ask("GET", one))[0] == 404
    assert (await caller.ask("PATCH", one, {"revision": 3, "name": "X"}))[0] == 404
    assert [found["id"] for found in (await caller.ask("GET", "/v1/blasts"))[1]["blasts"]] == [copied["id"]]
    two = f"/v1/blasts/{copied['id']}"
    assert (await caller.ask("POST", f"{two}/launch"))[1]["state"] == "running"
    status, told = await caller.ask("DELETE", two)
    assert (status, "stays on record" in told["errors"][0]["detail"]) == (409, True)
    assert (await caller.ask("PATCH", two, {"revision": 2, "name": "X"}))[0] == 409


async def test_a_bad_reference_costs_no_other_one_and_is_named(caller: Caller, market: Market) -> None:
    market.shoppers(12)
    status, audience = await caller.ask(
        "POST", "/v1/audiences", {"name": "list", "definition": {"uploaded": True}}
    )
    path = f"/v1/audiences/{audience['id']}/references"
    good = [market.desk.reference(market.firm, id_) for id_ in range(1, 12)]
    stranger = market.desk.reference(market.firm, 5_000)
    bad = ["x" * 41, 380671234567, None, "", "a\x00b", stranger, {"a": 1}]

    status, told = await caller.ask("POST", path, {"references": [bad[0], *good, *bad[1:]]})

    assert (status, told["received"], told["known"]) == (200, 18, 11)
    places = [one["pointer"].rpartition("/")[2] for one in told["refused"]]
    assert places == ["0", *(str(at) for at in range(12, 18))]
    assert told["refused"][5]["detail"] == "is of nobody whom your firm knows."
    assert all("is no reference" in told["refused"][at]["detail"] for at in (0, 1, 2, 3, 4, 6))
    assert "380671234567" not in str(told)
    assert (await caller.ask("GET", f"/v1/audiences/{audience['id']}"))[1]["shoppers"] in (10, 20)
    assert (await caller.ask("POST", path, {"references": []}))[0] == 400
