"""Consent by HTTP: what a firm tells of a shopper, the box on the page, and a person's two questions."""

from __future__ import annotations

import html
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert

from config.texts import LANGUAGES
from gateway.domain.consent.word import CLOCKS_DIFFER_MS
from gateway.http import guard
from gateway.http.firm import consents, persons
from gateway.store.firms.inquiry_limit import Inquiries
from gateway.store.redis import keys
from gateway.store.sql import schema
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.firms import set_up
from gateway.usecases.operations import trial_text
from gateway.usecases.operations.trial_text import Trial
from tests.integration.gateway.http.conftest import Opens
from tests.integration.gateway.http.front import Answer, Front, services, settings_of
from tests.integration.house import ANNA, BOHDAN, LINK, SHORT, House

YES: dict[str, Any] = {
    "phone": f"+{ANNA}",
    "channel": "sms",
    "state": "given",
    "wording": "Offers?",
    "proof": "form 7",
    "said_at": "2025-05-01T09:00:00Z",
}
NO: dict[str, Any] = {"phone": f"+{ANNA}", "channel": "all", "state": "withdrawn"}
TOKEN = "an operator's token"


async def tell(front: Front, body: object, key: str | None = None) -> Answer:
    headers = {"Authorization": f"Bearer {key or front.key()}"}
    return await front.send(consents.PATH, body, headers, method="PUT")


def entries(house: House) -> list[tuple[Any, ...]]:
    return house.rows("consent_entry", "channel", "state", "how", "wording", "proof", "actor")


async def test_a_yes_with_its_proof_and_a_no(front: Front) -> None:
    answer = await tell(front, YES)
    assert answer.status == 200
    assert answer.body["sms"] == {"state": "given", "said_at": "2025-05-01T09:00:00.000+00:00"}
    assert answer.body["call"] == {"state": "never asked", "said_at": None}
    assert entries(front.house) == [("sms", "given", "api", "Offers?", "form 7", "firm 1")]

    answer = await tell(front, NO)
    assert {said["state"] for said in answer.body.values()} == {"withdrawn"}
    assert front.house.consent(ANNA) == "out"
    assert len(entries(front.house)) == 3


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"wording": None}, 400),
        ({"proof": None}, 400),
        ({"said_at": None}, 400),
        ({"said_at": "2025-05-01T09:00:00"}, 400),
        ({"channel": "post"}, 400),
        ({"phone": "12345"}, 422),
        ({"said_at": "2099-05-01T09:00:00Z"}, 422),
        ({"said_at": "0001-01-01T00:00:00+14:00"}, 400),
        ({"said_at": "1999-12-31T23:59:59Z"}, 400),
    ],
)
async def test_a_yes_without_proof_is_none(front: Front, changes: dict[str, Any], status: int) -> None:
    body = {name: value for name, value in (YES | changes).items() if value is not None}
    assert (await tell(front, body)).status == status
    assert entries(front.house) == []


@pytest.mark.parametrize("field", ["wording", "proof"])
async def test_what_no_store_takes_is_refused_and_changes_nothing(front: Front, field: str) -> None:
    answer = await tell(front, NO | {field: "no\0thing"})
    assert answer.status == 400
    assert [error["pointer"] for error in answer.body["errors"]] == [f"#/{field}"]
    assert (front.house.consent(ANNA), entries(front.house)) == ("", [])


async def test_what_no_store_takes_in_a_url_is_refused(front: Front) -> None:
    async with front.client.get("/v1/vault/accesses?purpose=a%00b") as answer:
        assert answer.status == 400


async def test_a_yes_of_before_the_no_is_refused(front: Front) -> None:
    await tell(front, NO)
    answer = await tell(front, YES)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "#/said_at")
    later = YES | {"said_at": datetime.now(UTC).isoformat()}
    assert (await tell(front, later)).status == 422  # clocks differ: it may be of before
    house = front.house
    a_while_ago = int(time.time() * 1000) - 2 * CLOCKS_DIFFER_MS
    house.redis.set(keys.consent(1, house.vault.index(ANNA)), f"out:{a_while_ago}")
    assert (await tell(front, later)).body["sms"]["state"] == "given"


async def test_only_with_a_key(front: Front) -> None:
    assert (await tell(front, NO, "uc_nobodys")).status == 401


async def claim(front: Front, pin: str, code: str, **more: object) -> Answer:
    body = {"phone": f"+{ANNA}", "pin": pin, "codes": [code], "language": "en", **more}
    return await front.send("/v1/web/activations", body, front.ours)


async def test_the_box_on_the_page(front: Front) -> None:
    codes = front.house.codes(1)
    pin = await front.proved()
    assert (await claim(front, pin, codes[0])).status == 202  # the box is not ticked
    assert entries(front.house) == []

    pin = await front.proved()
    for _ in range(2):  # an answer was lost, and the page asks again
        assert (await claim(front, pin, codes[1], offers=True)).status == 202
    words = "Send me offers by SMS and calls. I can refuse at any time with the word STOP."
    assert entries(front.house) == [(c, "given", "web", words, None, "shopper") for c in ("sms", "call")]
    assert front.house.consent(ANNA) == "in"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_kept_as_proof_is_what_stood_beside_the_box(front: Front, language: str) -> None:
    async with front.client.get(f"/a?l={language}") as response:
        page = await response.text()
    (shown,) = re.findall(r'<label for="offers">(.*?)</label>', page, re.DOTALL)
    (code, *_) = front.house.codes(1)
    pin = await front.proved()
    assert (await claim(front, pin, code, offers=True, language=language)).status == 202
    assert {row[3] for row in entries(front.house)} == {html.unescape(shown)}


async def test_a_ticked_box_without_the_pin_is_nothing(front: Front) -> None:
    (code, *_) = front.house.codes(1)
    await front.proved()
    assert (await claim(front, "000000", code, offers=True)).status == 403
    assert (entries(front.house), front.house.consent(ANNA)) == ([], "")


async def test_the_box_is_there_and_not_ticked(front: Front) -> None:
    async with front.client.get("/a") as response:
        page = await response.text()
    assert '<input id="offers" name="offers" type="checkbox">' in page


@pytest.fixture
async def asking(house: House, open_front: Opens) -> Any:
    """The operator's routes in front of a house, with the front's checks."""
    house.firm()
    house.campaign()
    front = await open_front()
    app = web.Application(middlewares=[guard.middleware(Meter())])
    made = services(house, settings_of(house), Meter(), [])
    inquiries = Inquiries(house.client, 10)
    app.add_routes(persons.routes(house.engine, TOKEN, made.keys, made.desk, inquiries))
    async with TestClient(TestServer(app)) as client:
        yield Front(house=house, client=client, meter=front.meter)


async def ask(front: Front, path: str, token: str, number: str = ANNA) -> Answer:
    return await front.send(path, {"phone": f"+{number}"}, {"Authorization": f"Bearer {token}"})


async def test_what_do_we_hold_about_this_person(asking: Front) -> None:
    house = asking.house
    (code, *_) = house.codes(1)
    await house.text(code)
    await house.text("START")
    house.drain()
    house.firm("other")

    answer = await ask(asking, persons.DATA, TOKEN)
    told = answer.body
    assert (told["known"], told["aliases"], len(told["activations"]), len(told["ledger"])) == (True, 0, 1, 1)
    assert [(s["channel"], s["state"]) for s in told["standing"]] == [("sms", "given")]
    assert len(told["messages"]) == 2
    assert ANNA not in str(told)

    key = set_up.new_api_key(house.engine, house.vault, "other")
    assert (await ask(asking, persons.DATA, key)).body == {"known": False}
    assert (await ask(asking, persons.DATA, TOKEN, BOHDAN)).body == {"known": False}
    assert (await ask(asking, persons.DATA, "uc_nobodys")).status == 401


async def shared(house: House) -> None:
    """Anna has texted codes of two firms at once, and a STOP that holds for both; Bohdan knows one."""
    house.firm("other")
    house.campaign("other")
    one, other, third = house.codes(1, 1)[0], *house.codes(2, 2)
    await house.text(f"{one} {other}")
    await house.text("STOP")
    await house.text(third, BOHDAN)
    house.drain()


@pytest.mark.parametrize(("firm", "foreign"), [("acme", "other"), ("other", "acme")])
async def test_a_firm_learns_of_its_own_people_and_nothing_that_two_firms_could_join(
    asking: Front, firm: str, foreign: str
) -> None:
    house = asking.house
    await shared(house)
    mine, theirs = (set_up.new_api_key(house.engine, house.vault, slug) for slug in (firm, foreign))
    told, other = [(await ask(asking, persons.DATA, key)).body for key in (mine, theirs)]
    assert len(told["activations"]) == 1
    assert len(told["consents"]) == 2
    joining = strings(told) & strings(other)
    telling = {word for word in joining if re.search("[0-9]", word) and not TO_THE_MINUTE.fullmatch(word)}
    assert telling <= {SHORT}


TO_THE_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00\+00:00")


def strings(told: Any) -> set[str]:
    """Every word, id and moment in an answer."""
    if isinstance(told, dict):
        return {word for value in told.values() for word in strings(value)}
    if isinstance(told, list):
        return {word for value in told for word in strings(value)}
    return {told} if isinstance(told, str) else set()


async def test_a_stranger_to_a_firm_is_told_as_nobody(asking: Front) -> None:
    house = asking.house
    await shared(house)
    acme = set_up.new_api_key(house.engine, house.vault, "acme")
    other = set_up.new_api_key(house.engine, house.vault, "other")
    trial = Trial("0" * 24, 2, LINK, SHORT, "380631112233", "a text that is tried out")
    trial_text.send(trial, house.engine, house.redis, house.vault, who="firm 2")
    nobody = await ask(asking, persons.DATA, other, "380990000000")
    tried = await ask(asking, persons.DATA, other, "380631112233")
    assert tried.body == nobody.body == {"known": False}
    house.firm("third")
    third = set_up.new_api_key(house.engine, house.vault, "third")
    assert (await ask(asking, persons.DATA, third)).body == {"known": False}
    assert (await ask(asking, persons.CONTACTS, third)).body == {"contacts": []}
    assert (await ask(asking, persons.DATA, acme)).body["known"]


async def test_a_firm_asks_so_often_and_another_one_is_not_held_up(asking: Front) -> None:
    house = asking.house
    house.firm("other")
    acme, again, other = (set_up.new_api_key(house.engine, house.vault, s) for s in ("acme", "acme", "other"))
    numbers = [f"38067000{n:04d}" for n in range(12)]
    answers = [
        await ask(asking, persons.DATA, acme if n % 2 else again, one) for n, one in enumerate(numbers)
    ]
    assert [answer.status for answer in answers] == [200] * 10 + [429] * 2
    assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600
    assert (await ask(asking, persons.DATA, other)).status == 200
    assert [(await ask(asking, persons.DATA, TOKEN)).status for _ in range(12)] == [200] * 12
    assert len(house.rows("person_access", "id")) == 10 + 1 + 12


async def test_each_question_about_a_person_is_in_the_access_log(asking: Front) -> None:
    house = asking.house
    await house.text("START")
    house.drain()
    key = set_up.new_api_key(house.engine, house.vault, "acme")
    await ask(asking, persons.DATA, TOKEN)
    await ask(asking, persons.CONTACTS, key)
    await ask(asking, persons.CONTACTS, key, BOHDAN)
    await ask(asking, persons.DATA, "uc_nobodys")
    assert house.rows("person_access", "who", "purpose", "shopper_id") == [
        ("operator's token", "data held", 1),
        ("firm 1", "why contacted", 1),
        ("firm 1", "why contacted", None),
    ]


async def test_why_was_this_person_contacted(asking: Front) -> None:
    house = asking.house
    await house.text("START")
    house.drain()
    shopper = house.rows("shopper", "id")[0][0]
    said_at = house.rows("consent_entry", "said_at")[0][0]
    with house.engine.begin() as connection:
        connection.execute(
            insert(schema.contact).values(
                ("o1.1", 1, shopper, "7", "sms", "accepted", "given", said_at, "ua", said_at + 5, said_at + 6)
            )
        )
    answer = await ask(asking, persons.CONTACTS, TOKEN)
    (contact,) = answer.body["contacts"]
    assert (contact["id"], contact["policy"], contact["consent"]) == ("o1.1", "ua", "given")
    assert (contact["entry"]["how"], contact["entry"]["channel"]) == ("sms", "sms")
    assert (await ask(asking, persons.CONTACTS, TOKEN, BOHDAN)).body == {"contacts": []}


async def test_a_refusal_by_a_number_as_spreadsheets_write_it_holds(front: Front) -> None:
    assert (await tell(front, {**NO, "phone": f"{ANNA}.0"})).status == 200
    assert front.house.consent(ANNA) == "out"
    refused = await tell(front, {**NO, "phone": f"+{ANNA}0"})
    assert (refused.status, "numbering plan" in refused.body["detail"]) == (422, True)
