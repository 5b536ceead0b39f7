"""The page's own routes: a number is proved before anything is claimed or told, within bounds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from config.settings import AnswerSettings
from gateway.http.shopper import web_activations
from gateway.http.shopper.web_activations import ACTIVATIONS, PINS
from gateway.store.redis import keys
from gateway.store.telemetry import measures
from tests.integration.gateway.http.front import Answer, Front
from tests.integration.house import ANNA, BOHDAN, SHORT, House

NEVER_ISSUED = "0000-0000-00000"


async def test_a_proved_number_gets_its_points(front: Front) -> None:
    house = front.house
    code = house.codes(1)[0]
    asked = await front.ask_pin()
    assert (asked.status, asked.body) == (202, {"status": "sent"})
    answer = await front.claim(front.pins_sent()[0], code)
    told = "Code accepted: +10 points. Your balance comes by SMS."
    assert (answer.status, answer.body) == (
        202,
        {"results": [{"outcome": "activated", "points": 10, "message": told}]},
    )
    house.drain()
    assert (house.balance(ANNA), house.rows("activation", "channel")) == (10, [("web",)])
    assert house.waiting_answers()[0] == (ANNA, "Code accepted: +10 points. Balance: 10.")


async def test_where_the_sms_of_an_hour_are_used_up_none_is_promised(house: House, open_front: Any) -> None:
    house.answers = AnswerSettings(replies_per_hour=1)
    house.store = house.claims()
    house.firm()
    code = house.codes(house.campaign(), 1)[0]
    front: Front = await open_front()
    await house.text("balance")
    await front.ask_pin()
    pin = front.pins_sent()[0]
    answers = [await front.claim(pin, code) for _ in range(2)]
    house.drain()
    assert [a.body["results"][0]["message"] for a in answers] == ["Code accepted: +10 points."] * 2
    assert [text for _, text in house.waiting_answers() if pin not in text] == ["Your balance: 0 points."]


async def test_the_pin_leaves_from_the_short_number_and_only_while_it_is_of_use(front: Front) -> None:
    await front.ask_pin()
    taken = await front.house.send_queue().take(1, 10)
    assert [(w.short_number, 0 < w.until - w.at <= 600_000) for w in taken] == [(SHORT, True)]


async def test_a_pin_is_kept_as_a_digest_for_its_time(front: Front) -> None:
    pin = await front.proved()
    held = front.held_pin()
    assert (sorted(held), held["n"], pin in held["d"]) == (["d", "n", "s"], "0", False)
    lives: Any = front.house.redis.ttl(keys.pin(front.house.vault.index(ANNA)))
    assert 590 <= lives <= 600
    names = [name for name in front.house.names() if ANNA in name or "127.0.0.1" in name]
    assert names == []


async def test_without_the_right_pin_every_code_looks_the_same(front: Front) -> None:
    house = front.house
    used, fresh = house.codes(1)[:2]
    await front.claim(await front.proved(), used)
    await front.ask_pin()
    sent = front.pins_sent()[-1]
    wrong = f"{(int(sent) + 1) % 1_000_000:06d}"
    answers = [await front.claim(wrong, code) for code in (used, fresh, NEVER_ISSUED)]
    answers.append(await front.claim(sent, fresh, phone=f"+{BOHDAN}"))  # never asked for a PIN
    assert {(a.status, str(a.body), _stable(a.headers)) for a in answers} == {
        (403, str(answers[0].body), _stable(answers[0].headers))
    }
    assert answers[0].problem == "pin"
    house.drain()
    assert house.rows("activation", "serial") == [house.rows("activation", "serial")[0]]


async def test_asking_says_nothing_about_a_number(front: Front) -> None:
    house = front.house
    house_code = house.codes(1)[0]
    await front.claim(await front.proved(), house_code)
    house.drain()
    known, unknown = await front.ask_pin(), await front.ask_pin(f"+{BOHDAN}")
    assert (known.status, known.body, _stable(known.headers)) == (
        unknown.status,
        unknown.body,
        _stable(unknown.headers),
    )


def _stable(headers: Mapping[str, str]) -> str:
    return str(
        sorted(
            (name, value)
            for name, value in headers.items()
            if name not in ("Date", "X-Request-ID", "X-Request-Id")
        )
    )


async def test_a_pin_cannot_be_tried_out(front: Front) -> None:
    code = front.house.codes(1)[0]
    pin = await front.proved()
    guesses = [f"{(int(pin) + n) % 1_000_000:06d}" for n in range(1, 6)]
    assert [(await front.claim(guess, code)).status for guess in guesses] == [403] * 5
    assert (await front.claim(pin, code)).problem == "pin"
    assert front.house.drain() == 0


async def test_tries_at_the_same_moment_are_all_counted(front: Front) -> None:
    code = front.house.codes(1)[0]
    pin = await front.proved()
    guesses = [f"{(int(pin) + n) % 1_000_000:06d}" for n in range(1, 30)]
    answers = await asyncio.gather(*(front.claim(guess, code) for guess in guesses))
    assert {answer.status for answer in answers} == {403}
    assert (await front.claim(pin, code)).status == 403


async def test_a_new_pin_ends_the_old_one(front: Front) -> None:
    code = front.house.codes(1)[0]
    old = await front.proved()
    new = await front.proved()
    assert (await front.claim(old, code)).status == (202 if old == new else 403)
    assert (await front.claim(new, code)).status == 202


async def test_a_pin_whose_time_is_over_proves_nothing(front: Front) -> None:
    pin = await front.proved()
    front.house.redis.delete(keys.pin(front.house.vault.index(ANNA)))  # as its time to live does
    assert (await front.claim(pin, front.house.codes(1)[0])).problem == "pin"


async def test_a_credited_code_uses_the_pin_up_but_for_the_same_request(front: Front) -> None:
    house = front.house
    first, second = house.codes(1)[:2]
    pin = await front.proved()
    answers = [await front.claim(pin, code) for code in (first, first, second, first)]
    assert [answer.status for answer in answers] == [202, 202, 403, 202]
    assert answers[0].body == answers[1].body == answers[3].body
    house.drain()
    assert (house.balance(ANNA), len(house.waiting_answers())) == (10, 2)  # the PIN, and one confirmation


async def test_a_mistyped_code_does_not_cost_the_pin(front: Front) -> None:
    pin = await front.proved()
    wrong = await front.claim(pin, NEVER_ISSUED)
    told = "There is no such code. Please check it and send it again."
    assert wrong.body == {"results": [{"outcome": "invalid", "message": told}]}
    assert (await front.claim(pin, front.house.codes(1)[0])).outcomes == ["activated"]


async def test_a_limited_shopper_is_told_until_when(front: Front) -> None:
    code = front.house.codes(1)[0]
    pin = await front.proved()
    await front.claim(pin, *(f"0000-0000-{n:05d}" for n in range(10)))
    answer = await front.claim(pin, code)
    assert (answer.status, answer.outcomes) == (200, ["limited"])
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert answer.body["results"][0]["message"].startswith("Too many attempts. Please send your code after")


# Bounds


async def test_a_number_gets_no_more_than_its_pins_and_nobody_is_told(front: Front) -> None:
    answers = [await front.ask_pin() for _ in range(4)]
    assert {(a.status, str(a.body)) for a in answers} == {(202, "{'status': 'sent'}")}
    assert len(front.pins_sent()) == 3
    assert front.meter.tick(measures.PINS, "asked number").n == 1


async def test_time_does_not_tell_whether_a_pin_was_sent(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_activations, "ANSWER_AFTER_S", 0.2)
    took: list[float] = []
    for _ in range(4):
        begun = time.monotonic()
        await front.ask_pin()
        took.append(time.monotonic() - begun)
    assert (len(front.pins_sent()), min(took) >= 0.2) == (3, True)


async def test_an_address_gets_no_more_than_its_pins(front: Front) -> None:
    answers = [await front.ask_pin(f"+38067123{n:04d}") for n in range(12)]
    assert [answer.status for answer in answers] == [202] * 10 + [429] * 2
    assert answers[-1].problem == "limited"
    assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600
    assert len(front.house.waiting_answers()) == 10


async def test_a_header_does_not_make_another_address(front: Front) -> None:
    spoofed = [
        await front.ask_pin(f"+38067123{n:04d}", **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(11)
    ]
    assert [answer.status for answer in spoofed] == [202] * 10 + [429]


async def test_behind_a_proxy_of_ours_every_shopper_has_an_address(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(http={"trusted_proxies": ["127.0.0.1"]}, web={"pins_per_address_hour": 1})
    # The proxy appends what it saw; what stands to the left of it was written by the shopper.
    hops = ["198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.1"]
    answers = [
        await front.ask_pin(f"+38067123{n:04d}", **{"X-Forwarded-For": hop}) for n, hop in enumerate(hops)
    ]
    assert [answer.status for answer in answers] == [202, 202, 429]


async def test_all_together_get_no_more_than_the_hours_pins(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(web={"pins_per_hour": 2})
    answers = [await front.ask_pin(f"+38067123{n:04d}") for n in range(3)]
    assert [answer.status for answer in answers] == [202, 202, 503]
    assert (answers[-1].problem, len(house.waiting_answers())) == ("limited", 2)


@pytest.mark.parametrize(("noisy", "quiet"), [("4040", "5050"), ("5050", "4040")])
async def test_a_firm_that_takes_many_pins_leaves_some_to_others(
    house: House, open_front: Any, noisy: str, quiet: str
) -> None:
    for slug, short in (("acme", "4040"), ("bolt", "5050")):
        house.firm(slug)
        house.campaign(slug, short_numbers=(short,))
    front: Front = await open_front(web={"pins_per_hour": 6})
    wished = [await front.ask_pin(f"+38067123{n:04d}", short=noisy) for n in range(5)]
    assert [answer.status for answer in wished] == [202, 202, 202, 503, 503]
    assert [(await front.ask_pin(f"+38067124{n:04d}", short=quiet)).status for n in range(2)] == [202, 202]


async def test_without_a_link_no_pin_is_promised(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(smpp={"links": []})
    assert (await front.ask_pin()).problem == "away"


# Whose page it is


ORIGINS: list[tuple[str, dict[str, str]]] = [
    ("no word of it", {}),
    ("another site", {"Origin": "https://evil.example"}),
    ("another port", {"Origin": "http://127.0.0.1:1"}),
    ("a sandbox", {"Origin": "null"}),
    ("what is no origin", {"Origin": "http://[::1"}),
    ("ours, said by another site", {"Origin": "ours", "Sec-Fetch-Site": "cross-site"}),
    ("ours, said by a sister site", {"Origin": "ours", "Sec-Fetch-Site": "same-site"}),
]


@pytest.mark.parametrize("headers", [case[1] for case in ORIGINS], ids=[case[0] for case in ORIGINS])
@pytest.mark.parametrize("path", [PINS, ACTIVATIONS])
async def test_another_sites_page_is_refused(front: Front, path: str, headers: dict[str, str]) -> None:
    ours = front.ours["Origin"]
    sent = {name: ours if value == "ours" else value for name, value in headers.items()}
    pin = await front.proved()
    body = {"phone": f"+{ANNA}", "pin": pin, "code": front.house.codes(1)[0]}
    answer = await front.send(path, body, sent)
    assert (answer.status, answer.problem) == (403, "origin")
    assert (front.house.drain(), len(front.pins_sent())) == (0, 1)


async def test_behind_a_proxy_the_public_address_is_ours(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign()
    front: Front = await open_front(http={"public_url": "https://code.example"})
    assert (await front.ask_pin(Origin="https://code.example")).status == 202
    assert (await front.ask_pin()).problem == "origin"


BAD_BODIES: list[tuple[str, str, object, int]] = [
    ("no phone", PINS, {}, 400),
    ("not a phone", PINS, {"phone": "hello"}, 422),
    ("a field that is not described", PINS, {"phone": f"+{ANNA}", "address": "1"}, 400),
    ("a short number of nobody", PINS, {"phone": f"+{ANNA}", "short_number": "9"}, 422),
    ("no PIN", ACTIVATIONS, {"phone": f"+{ANNA}", "code": "1"}, 400),
    ("a short PIN", ACTIVATIONS, {"phone": f"+{ANNA}", "code": "1", "pin": "12345"}, 400),
    ("a PIN in other digits", ACTIVATIONS, {"phone": f"+{ANNA}", "code": "1", "pin": "١٢٣٤٥٦"}, 400),
    ("a PIN as a number", ACTIVATIONS, {"phone": f"+{ANNA}", "code": "1", "pin": 123456}, 400),
    ("no code", ACTIVATIONS, {"phone": f"+{ANNA}", "pin": "123456"}, 400),
]


@pytest.mark.parametrize(
    ("path", "body", "status"), [case[1:] for case in BAD_BODIES], ids=[case[0] for case in BAD_BODIES]
)
async def test_what_is_not_as_described_is_refused(
    front: Front, path: str, body: object, status: int
) -> None:
    answer: Answer = await front.send(path, body, front.ours)
    assert (answer.status, answer.problem) == (status, "bad-request")
