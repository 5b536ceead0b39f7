"""`POST /v1/activations`: what is answered, and what it does to Redis and SQL."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import update

from config.settings import AnswerSettings
from gateway.http.firm.activations import PATH
from gateway.store.sql import database, schema
from gateway.store.texts import messages
from gateway.usecases.firms import set_up
from tests.integration.gateway.http.front import Answer, Front
from tests.integration.house import ANNA, BOHDAN, HOUR_MS, SHORT, House

PHONE = "+380 67 123-45-67"  # Anna's, as people type it
NEVER_ISSUED = "0000-0000-00000"


async def test_a_code_is_credited_and_confirmed_once(front: Front) -> None:
    house = front.house
    code = house.codes(1)[0]
    answer = await front.activate(front.key(), {"phone": PHONE, "code": code})
    assert (answer.status, answer.body) == (202, {"results": [{"outcome": "activated", "points": 10}]})
    assert front.poked == [True]
    house.drain()
    told = messages.find(house.engine, answer.headers["Location"].removeprefix("/v1/messages/"))
    assert told is not None
    assert (told.state, told.outcomes) == ("queued", "activated")
    assert house.balance(ANNA) == 10
    assert house.rows("activation", "channel", "points") == [("api", 10)]
    assert house.waiting_answers() == [(ANNA, "Code accepted: +10 points. Balance: 10.")]


async def test_where_the_sms_of_an_hour_are_used_up_none_is_named(house: House, open_front: Any) -> None:
    house.answers = AnswerSettings(replies_per_hour=1)
    house.store = house.claims()
    house.firm()
    codes = house.codes(house.campaign(), 2)
    front: Front = await open_front()
    answers = [await front.activate(front.key(), {"phone": PHONE, "code": code}) for code in codes]
    house.drain()
    assert ["Location" in answer.headers for answer in answers] == [True, False]
    assert (house.balance(ANNA), len(house.waiting_answers())) == (20, 1)


async def test_the_same_request_again_is_answered_the_same_and_does_nothing(front: Front) -> None:
    house, key = front.house, front.key()
    body = {"phone": PHONE, "codes": [house.codes(1)[0], NEVER_ISSUED]}
    first = await front.activate(key, body)
    again = await front.activate(key, {**body, "phone": f"+{ANNA}"})
    house.drain()
    later = await front.activate(key, body)
    house.drain()
    assert [first.body, again.body, later.body] == [
        {"results": [{"outcome": "activated", "points": 10}, {"outcome": "invalid"}]}
    ] * 3
    assert (house.balance(ANNA), len(house.waiting_answers())) == (10, 1)
    assert ["Location" in answer.headers for answer in (first, again, later)] == [True, False, False]


async def test_a_used_code_is_told_with_its_date_to_its_owner_alone(front: Front) -> None:
    house, key = front.house, front.key()
    code = house.codes(1)[0]
    begun = int(time.time())
    await front.activate(key, {"phone": PHONE, "code": code})
    house.forget_texts()
    unsettled = [
        await front.activate(key, {"phone": PHONE, "code": code}),
        await front.activate(key, {"phone": f"+{BOHDAN}", "code": code}),
    ]
    assert [a.body["results"] for a in unsettled] == [
        [{"outcome": "already_yours"}],
        [{"outcome": "already_used"}],
    ]
    house.drain()
    house.forget_texts()
    mine = await front.activate(key, {"phone": PHONE, "code": code})
    other = await front.activate(key, {"phone": f"+{BOHDAN}", "code": code})
    assert (mine.status, mine.outcomes) == (200, ["already_yours"])
    assert begun <= _seconds(mine.body["results"][0]["credited_at"]) <= time.time()
    assert (other.status, other.body) == (200, {"results": [{"outcome": "already_used"}]})
    assert (house.balance(ANNA), house.balance(BOHDAN)) == (10, 0)


async def test_every_code_has_its_own_outcome_in_order(house: House, open_front: Any) -> None:
    house.firm()
    house.firm("other")
    now = int(time.time() * 1000)
    running, later = house.campaign(), house.campaign(starts_at=now + HOUR_MS, ends_at=now + 2 * HOUR_MS)
    over, halted, foreign = house.campaign(), house.campaign(), house.campaign("other")
    good, soon, late, paused, theirs = (house.codes(c)[0] for c in (running, later, over, halted, foreign))
    set_up.change_state(house.engine, over, "end")
    set_up.change_state(house.engine, halted, "pause")
    house.publish(1)
    front: Front = await open_front()
    codes = [NEVER_ISSUED, soon, good, late, paused, theirs, good, "hello"]
    answer = await front.activate(front.key(), {"phone": PHONE, "codes": codes})
    assert answer.outcomes == [
        *("invalid", "not_started", "activated", "ended", "paused", "invalid", "activated", "invalid")
    ]
    assert _seconds(answer.body["results"][1]["starts_at"]) == (now + HOUR_MS) // 1000
    house.drain()
    assert house.rows("activation", "campaign_id") == [(running,)]
    theirs_now = await front.activate(front.key("other"), {"phone": PHONE, "code": theirs})
    assert theirs_now.outcomes == ["activated"]


async def test_a_wrong_code_is_told_to_the_page_alone(front: Front) -> None:
    """Nobody has proved that the number is theirs: it gets no text that somebody else may order."""
    house, key = front.house, front.key()
    code = house.codes(1)[0]
    for n in range(12):
        await front.activate(key, {"phone": PHONE, "code": f"0000-0000-{n:05d}"})
    await front.activate(front.key(), {"phone": f"+{BOHDAN}", "code": code})
    house.forget_texts()
    await front.activate(key, {"phone": f"+{BOHDAN}", "code": code})
    house.drain()
    assert house.waiting_answers() == [(BOHDAN, "Code accepted: +10 points. Balance: 10.")]
    assert house.wrong_codes(ANNA)[0] >= 10
    assert len(house.rows("message", "id")) == 1


@pytest.mark.parametrize("later", ["acme", "other"], ids=["its own", "another firm's"])
async def test_codes_name_their_campaign_when_there_are_more_short_numbers(front: Front, later: str) -> None:
    house, key = front.house, front.key()
    first = house.codes(1, 3)
    house.firm("other")
    second = house.campaign(later, short_numbers=("5050",))
    both = house.campaign(short_numbers=("5050", "6060"))
    mine = house.codes(second, 1)[0]
    shared = house.codes(both, 1)[0]
    asked = {"phone": PHONE}
    assert (await front.activate(key, {**asked, "code": first[0]})).outcomes == ["activated"]
    assert (await front.activate(key, {**asked, "code": shared})).outcomes == ["activated"]
    assert (await front.activate(key, {**asked, "code": NEVER_ISSUED})).outcomes == ["invalid"]
    theirs = await front.activate(front.key(later), {**asked, "code": mine})
    assert theirs.outcomes == ["activated"]
    apart = await front.activate(key, {**asked, "codes": [first[1], house.codes(both, 1)[0]]})
    assert (apart.status, apart.body["errors"][0]["pointer"]) == (422, "#/codes")
    named = await front.activate(key, {**asked, "code": first[2], "short_number": SHORT})
    assert named.outcomes == ["activated"]
    house.drain()
    assert sorted(house.rows("message", "short_number")) == [(SHORT,), (SHORT,), ("5050",), ("5050",)]


async def test_over_a_limit_nothing_is_looked_up_and_the_code_stays_good(front: Front) -> None:
    house, key = front.house, front.key()
    code = house.codes(1)[0]
    wrong = [f"0000-0000-{n:05d}" for n in range(10)]
    await front.activate(key, {"phone": PHONE, "codes": wrong})
    limited = [await front.activate(key, {"phone": PHONE, "code": code}) for _ in range(2)]
    for answer in limited:
        assert (answer.status, answer.problem, answer.outcomes) == (429, "limited", ["limited"])
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
    house.pass_time(ANNA, 3601)
    assert (await front.activate(key, {"phone": PHONE, "code": code})).outcomes == ["activated"]


def _seconds(iso: str) -> int:
    return int(time.mktime(time.strptime(iso, "%Y-%m-%dT%H:%M:%S+00:00")) - time.timezone)


@pytest.mark.parametrize(
    ("label", "header"),
    [
        ("none", {}),
        ("another scheme", {"Authorization": "Basic dXNlcjp1Y18="}),
        ("never made", {"Authorization": "Bearer uc_" + "x" * 32}),
        ("empty", {"Authorization": "Bearer "}),
        ("very long", {"Authorization": "Bearer " + "x" * 4000}),
        ("not ASCII", {"Authorization": "Bearer ключ"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_without_a_key_that_stands_nothing_is_done(
    front: Front, label: str, header: dict[str, str]
) -> None:
    del label
    code = front.house.codes(1)[0]
    answer = await front.send(PATH, {"phone": PHONE, "code": code}, header)
    assert (answer.status, answer.problem) == (401, "key")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="undercap"'
    assert front.house.drain() == 0


async def test_a_revoked_key_is_refused_at_once(front: Front) -> None:
    key = front.key()
    assert (await front.activate(key, {"phone": PHONE, "code": NEVER_ISSUED})).status == 200
    with database.writing(front.house.engine) as connection:
        connection.execute(update(schema.api_key).values(revoked_at=1))
    assert (await front.activate(key, {"phone": PHONE, "code": NEVER_ISSUED})).status == 401


GOOD = {"phone": PHONE, "code": NEVER_ISSUED}
BAD_BODIES: list[tuple[str, object, dict[str, str], int, str]] = [
    ("not JSON", b"{nope", {}, 400, "bad-request"),
    ("empty", b"", {}, 400, "bad-request"),
    ("not an object", [GOOD], {}, 400, "bad-request"),
    ("nested without end", b"[" * 8000, {}, 400, "bad-request"),
    ("not UTF-8", b'{"phone": "\xff\xfe", "code": "1"}', {}, 400, "bad-request"),
    ("half a surrogate pair", b'{"phone": "+380671234567", "code": "\\ud800"}', {}, 400, "bad-request"),
    ("no phone", {"code": NEVER_ISSUED}, {}, 400, "bad-request"),
    ("no code", {"phone": PHONE}, {}, 400, "bad-request"),
    ("both code and codes", {**GOOD, "codes": ["1"]}, {}, 400, "bad-request"),
    ("no codes at all", {"phone": PHONE, "codes": []}, {}, 400, "bad-request"),
    ("a number for a phone", {"phone": 380671234567, "code": NEVER_ISSUED}, {}, 400, "bad-request"),
    ("a code too long", {"phone": PHONE, "code": "1" * 65}, {}, 400, "bad-request"),
    ("a field that is not described", {**GOOD, "points": 1000}, {}, 400, "bad-request"),
    ("a language that is not spoken", {**GOOD, "language": "de"}, {}, 400, "bad-request"),
    ("not a phone", {**GOOD, "phone": "hello"}, {}, 422, "bad-request"),
    ("a short number for a phone", {**GOOD, "phone": "40404"}, {}, 422, "bad-request"),
    ("too many codes", {"phone": PHONE, "codes": [NEVER_ISSUED] * 21}, {}, 422, "bad-request"),
    ("a short number of nobody", {**GOOD, "short_number": "9999"}, {}, 422, "bad-request"),
    ("another content type", GOOD, {"Content-Type": "text/plain"}, 415, "http"),
    ("a form", b"phone=1&code=2", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "http"),
    ("too large", {**GOOD, "code": "1" * 20_000}, {}, 413, "http"),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "problem"),
    [case[1:] for case in BAD_BODIES],
    ids=[case[0] for case in BAD_BODIES],
)
async def test_what_is_not_as_described_is_refused_and_not_repeated(
    front: Front, body: object, headers: dict[str, str], status: int, problem: str
) -> None:
    answer = await front.activate(front.key(), body, **headers)
    assert (answer.status, answer.problem) == (status, problem)
    assert _says_back(answer) == []
    assert front.house.drain() == 0


def _says_back(answer: Answer) -> list[str]:
    told = str(answer.body)
    return [secret for secret in (PHONE, ANNA, "380671234567", NEVER_ISSUED) if secret in told]


async def test_a_field_named_like_a_number_is_not_said_back(front: Front) -> None:
    answer = await front.activate(front.key(), {**GOOD, "380671234567": 1})
    assert answer.body["errors"] == [{"pointer": "#/", "detail": "no such field"}]


async def test_a_body_that_unpacks_to_more_than_it_seems_is_refused(front: Front) -> None:
    import zlib

    bomb = zlib.compress(b'{"phone": "' + b" " * 50_000_000 + b'"}')
    answer = await front.activate(front.key(), bomb, **{"Content-Encoding": "deflate"})
    assert answer.status in (400, 413)


async def test_a_redis_that_lost_its_claims_takes_none_and_loses_none(front: Front) -> None:
    house, key = front.house, front.key()
    used, code = house.codes(1)[:2]
    await front.activate(key, {"phone": PHONE, "code": used})
    house.drain()
    house.redis.flushall()
    house.redis.script_flush()
    for _ in range(2):
        answer = await front.activate(key, {"phone": PHONE, "code": code})
        assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (503, "away", "5")
    assert house.names("*:outbox") == []


async def test_the_confirmation_is_in_the_language_that_was_asked_for(front: Front) -> None:
    code = front.house.codes(1)[0]
    await front.activate(front.key(), {"phone": PHONE, "code": code, "language": "uk"})
    front.house.drain()
    assert front.house.waiting_answers() == [(ANNA, "Код прийнято: +10 балів. Баланс: 10.")]


async def test_every_answer_has_an_id_that_its_line_in_the_log_has_too(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    good = await front.activate(front.key(), GOOD, **{"X-Request-Id": "+380671234567"})
    bad = await front.activate("uc_nobodys", GOOD)
    ids = [answer.headers["X-Request-Id"] for answer in (good, bad)]
    logged = capsys.readouterr().out
    assert len(set(ids)) == 2
    assert all(f"id={id_}" in logged for id_ in ids)
    assert "380671234567" not in logged


async def test_a_type_of_problem_leads_to_words_about_it(front: Front) -> None:
    refused = await front.activate("uc_nobodys", GOOD)
    async with front.client.get(refused.body["type"]) as page:
        assert (page.status, "API key" in await page.text()) == (200, True)
    async with front.client.get("/v1/problems/none") as page:
        assert page.status == 404


async def test_a_key_that_would_not_be_kept_is_refused(front: Front) -> None:
    repeated = {"Idempotency-Key": "7"}
    assert (await front.activate(front.key(), GOOD, **repeated)).status == 200
    refused = await front.send("/v1/web/pins", {"phone": PHONE}, {**front.ours, **repeated})
    assert (refused.status, refused.problem) == (400, "bad-request")
    assert "Idempotency-Key" in refused.body["detail"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example:8080", 403), ("evil.example", 403), ("gate:8080", 202), ("[::1]:80", 202)],
)
async def test_a_page_of_a_name_that_may_lead_anywhere_is_not_ours(
    front: Front, host: str, status: int
) -> None:
    """DNS rebinding: the browser says that the page is of the address which it asks."""
    names = {"Host": host, "Origin": f"http://{host}"}
    asked = await front.send("/v1/web/pins", {"phone": PHONE, "short_number": SHORT}, names)
    assert asked.status == status


@pytest.mark.parametrize("phone", ["380671234567.0", "3.80671234567E+11", "\u202d+380671234567\u202c"])
async def test_a_number_as_spreadsheets_write_it_is_that_persons(front: Front, phone: str) -> None:
    code = front.house.codes(1)[0]
    answer = await front.activate(front.key(), {"phone": phone, "code": code})
    assert answer.outcomes == ["activated"]
    front.house.drain()
    assert front.house.balance(ANNA) == 10
    assert len(front.house.rows("shopper", "id")) == 1


@pytest.mark.parametrize(
    ("phone", "told"),
    [
        ("+3806712345678", "numbering plan"),
        ("3.80671234E+11", "cut by a spreadsheet"),
        ("380671234567.5", "fraction"),
    ],
)
async def test_a_number_that_is_none_is_refused_with_its_fault(front: Front, phone: str, told: str) -> None:
    answer = await front.activate(front.key(), {"phone": phone, "code": front.house.codes(1)[0]})
    assert answer.status == 422
    assert told in answer.body["detail"]
    assert "67123" not in str(answer.body)
    assert front.house.rows("shopper", "id") == []


async def test_a_code_that_can_be_none_costs_no_other_one(front: Front) -> None:
    first, second = front.house.codes(1, 2)
    typed = [first, "x" * 65, "", second, "a\x00"]

    answer = await front.activate(front.key(), {"phone": f"+{ANNA}", "codes": typed})

    assert answer.outcomes == ["activated", "invalid", "invalid", "activated", "invalid"]
    assert front.house.wrong_codes(ANNA)[0] == 0
    front.house.drain()
    assert front.house.balance(ANNA) == 20
