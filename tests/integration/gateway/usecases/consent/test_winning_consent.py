"""A confirmation asks once for consent, a bare yes answers it; a STOP may name its firm."""

from __future__ import annotations

from typing import Any

import pytest

from config.texts import load
from gateway.store.redis import keys
from tests.integration.gateway.usecases.operations.test_rebuild import rebuild
from tests.integration.house import ANNA, BOHDAN, LINK, House

QUESTION = "Offers by SMS and calls? Reply YES. To refuse, reply STOP."
IN, OUT = load("en").sentences["opt_in"], load("en").sentences["opt_out"]
UNKNOWN = load("en").sentences["unknown"]
DAY_MS = 86_400_000


def texts(house: House, number: str = ANNA, firm: int = 1) -> list[str]:
    """What was answered so far, in order."""
    return [text for to, text in house.waiting_answers(firm) if to == number]


def word(house: House, number: str = ANNA, firm: int = 1) -> str:
    found: Any = house.redis.get(keys.consent(firm, house.vault.index(number)))
    return found.decode() if found else ""


def asked_days_ago(house: House, days: float) -> None:
    """Let the question be older than it is."""
    at = int(word(house).removeprefix("ask:"))
    house.redis.set(keys.consent(1, house.vault.index(ANNA)), f"ask:{at - int(days * DAY_MS)}")


def entries(house: House) -> list[tuple[Any, ...]]:
    return house.rows("consent_entry", "channel", "state", "how", "wording", "actor")


async def asking(house: House, **changes: Any) -> list[str]:
    """A firm whose campaign asks; its codes."""
    house.firm()
    return house.codes(house.campaign(asks_consent=True, **changes))


async def test_the_first_confirmation_asks_and_no_other(house: House) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    house.drain()
    (first,) = texts(house)
    assert first.endswith(QUESTION)
    assert word(house).startswith("ask:")
    assert len(house.rows("consent_ask", "wording")) == 1

    await house.text(codes[1])
    house.drain()
    assert QUESTION not in texts(house)[1]


@pytest.mark.parametrize("before", ["STOP", "START"])
async def test_whoever_has_spoken_is_not_asked(house: House, before: str) -> None:
    codes = await asking(house)
    await house.text(before)
    await house.text(codes[0])
    house.drain()
    assert not any(QUESTION in text for text in texts(house))
    assert house.rows("consent_ask", "wording") == []


async def test_only_a_credited_code_asks_and_only_where_the_campaign_does(house: House) -> None:
    house.firm()
    (plain,) = house.codes(house.campaign(), 1)
    (asks,) = house.codes(house.campaign(asks_consent=True), 1)
    await house.text(plain)
    await house.text("9000000000001")
    await house.text(plain)
    house.drain()
    assert not any(QUESTION in text for text in texts(house))
    await house.text(asks)
    house.drain()
    assert texts(house)[-1].endswith(QUESTION)


async def test_two_codes_of_one_batch_ask_once(house: House) -> None:
    codes = await asking(house)
    for number in (ANNA, BOHDAN):
        await house.text(codes.pop(), number)
        await house.text(codes.pop(), number)
    house.drain()
    assert [sum(QUESTION in text for text in texts(house, number)) for number in (ANNA, BOHDAN)] == [1, 1]


@pytest.mark.parametrize(
    ("yes", "language"),
    [("YES", "en"), ("yes!", "en"), ("ТАК", "en"), ("Да.", "en"), ("иә", "kk"), ("ИӘ", "kk")],
)
async def test_a_bare_yes_is_consent_with_the_wording_as_proof(house: House, yes: str, language: str) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    house.drain()
    await house.text(yes)
    assert word(house).startswith("in:")  # in force before it is settled
    house.drain()
    assert texts(house)[-1] == load(language).sentences["opt_in"]
    assert entries(house) == [
        ("sms", "given", "sms", QUESTION, "shopper"),
        ("call", "given", "sms", QUESTION, "shopper"),
    ]


@pytest.mark.parametrize(("text", "language"), [("Да", "en"), ("так", "en"), ("иә", "kk")])
async def test_a_yes_that_nobody_asked_for_is_none(house: House, text: str, language: str) -> None:
    await asking(house)
    await house.text(text)
    house.drain()
    assert (word(house), entries(house)) == ("", [])
    assert texts(house) == [load(language).sentences["unknown"]]


async def test_a_yes_comes_too_late(house: House) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    house.drain()
    asked_days_ago(house, 8)
    await house.text("Да")
    house.drain()
    assert word(house).startswith("ask:")
    assert entries(house) == []
    assert texts(house)[-1] == UNKNOWN


async def test_a_yes_among_other_words_is_none(house: House) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    house.drain()
    await house.text(f"Да {codes[1]}")
    await house.text("Да. Баланс")
    house.drain()
    assert word(house).startswith("ask:")
    assert entries(house) == []


async def test_a_stop_answers_the_question_too(house: House) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    house.drain()
    await house.text("STOP")
    await house.text("Да")
    assert word(house).startswith("out:")


async def test_a_batch_settled_twice_asks_in_the_same_answer(house: House) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    rows: Any = house.redis.xrange(keys.outbox(1))
    house.drain()
    before = texts(house)
    house.redis.delete(keys.send(1, LINK))
    for _, fields in rows:  # a crash between the transaction and the end of the entry
        house.redis.xadd(keys.outbox(1), fields)
    house.redis.delete(keys.consent(1, house.vault.index(ANNA)))
    house.drain()
    assert texts(house) == before
    assert word(house).startswith("ask:")
    assert len(house.rows("consent_ask", "wording")) == 1


async def test_a_rebuilt_redis_knows_who_was_asked_and_who_answered(house: House) -> None:
    codes = await asking(house)
    await house.text(codes[0])
    await house.text(codes[1], BOHDAN)
    house.drain()
    await house.text("ТАК", BOHDAN)
    house.drain()
    before = word(house), word(house, BOHDAN)
    rebuild(house)
    assert (word(house), word(house, BOHDAN)) == before
    assert before[0].startswith("ask:")
    assert before[1].startswith("in:")


async def two_firms(house: House) -> None:
    """Both at one short number; the first one hosts it."""
    for slug in ("acme", "cola"):
        house.firm(slug)
        house.campaign(slug)


@pytest.mark.parametrize(("text", "words"), [("STOP Cola", ("", "out")), ("стоп acme", ("out", ""))])
async def test_a_stop_of_one_firm(house: House, text: str, words: tuple[str, str]) -> None:
    await two_firms(house)
    await house.text(text)
    assert (house.consent(ANNA, 1), house.consent(ANNA, 2)) == words
    house.drain()
    firm = 2 if words[1] else 1
    assert texts(house, firm=firm) == [f"You will get no more offers from {'Cola' if firm == 2 else 'Acme'}."]
    assert texts(house, firm=3 - firm) == []
    assert {row[0] for row in house.rows("consent_entry", "firm_id")} == {firm}


async def test_any_other_stop_is_of_all_firms(house: House) -> None:
    await two_firms(house)
    await house.text("STOP Pepsi")
    house.drain()
    assert (house.consent(ANNA, 1), house.consent(ANNA, 2)) == ("out", "out")
    assert texts(house) + texts(house, firm=2) == [OUT]


async def test_a_stop_of_a_guest_is_heard_over_the_hosts_limit(house: House) -> None:
    await two_firms(house)
    for number in range(house.limits.messages_per_minute + 1):
        await house.text("BALANCE" + "!" * number)
    await house.text("STOP Cola")
    assert house.consent(ANNA, 2) == "out"
    house.drain()
    assert texts(house, firm=2) == ["You will get no more offers from Cola."]


async def test_at_a_shared_number_a_yes_is_for_the_firm_that_asked(house: House) -> None:
    house.firm("acme")
    house.campaign("acme")
    house.firm("cola")
    (code,) = house.codes(house.campaign("cola", asks_consent=True), 1)
    await house.text(code)
    house.drain()
    assert texts(house, firm=2)[0].endswith(QUESTION)
    await house.text("Да")
    assert (house.consent(ANNA, 1), house.consent(ANNA, 2)) == ("", "in")
    house.drain()
    assert texts(house, firm=2)[1:] == [IN]
    assert texts(house) == []  # the host, who did not ask, says nothing
