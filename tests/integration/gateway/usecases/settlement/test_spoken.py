"""A shopper's language is told once and remembered; what is told over a limit, and where times are told."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from config import texts
from config.settings import AnswerSettings, LimitSettings
from gateway.store.people.shoppers import speak
from gateway.store.sql import database
from tests.integration.house import ANNA, House

AIGERIM = "77011234567"  # where Kazakhstan has one zone
UNANSWERED = 2


@pytest.fixture
def code(house: House) -> str:
    """A good code of a Ukrainian campaign."""
    house.firm()
    return house.codes(house.campaign(language="uk"), 5)[0]


async def last_answer(house: House, said: str, number: str) -> str:
    await house.text(said, number)
    house.drain()
    return house.waiting_answers()[-1][1]


async def test_the_language_of_a_text_is_remembered(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(language="uk"), 3)
    assert await last_answer(house, f"Мына код {codes[0]} рахмет", AIGERIM) == said("kk", 10, 10)
    assert await last_answer(house, codes[1], AIGERIM) == said("kk", 10, 20)
    assert await last_answer(house, f"вот код {codes[2]}", AIGERIM) == said("ru", 10, 30)
    assert (await last_answer(house, "баланс", AIGERIM)).startswith("Ваш баланс: 30 баллов")
    assert house.rows("shopper", "language") == [("ru",)]


async def test_a_keyword_in_english_is_answered_so_and_not_remembered(house: House, code: str) -> None:
    assert "Balance" in texts.load("en").say("activated", points="", balance=1)
    assert (await last_answer(house, "дякую", ANNA)) == texts.load("uk").say("unknown")
    assert (await last_answer(house, "balance", ANNA)).startswith("Your balance")
    assert await last_answer(house, code, ANNA) == said("uk", 10, 10)


async def test_within_one_batch_too(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(language="uk"), 2)
    await house.text(f"рахмет {codes[0]}", AIGERIM)
    await house.text(codes[1], AIGERIM)
    house.drain()
    assert [answer for _, answer in house.waiting_answers()] == [said("kk", 10, 10), said("kk", 10, 20)]


async def test_languages_of_a_batch_cost_the_same_however_many_speak(house: House) -> None:
    """New shoppers come with their language, and those who change it do so at once."""
    house.firm()
    codes = iter(house.codes(house.campaign(language="uk"), 60))
    counts = []
    for first, count in ((0, 1), (10, 5), (20, 20)):
        people = [f"3806700000{n:02d}" for n in range(first, first + count)]
        for word in ("рахмет", "вот код"):
            for number in people:
                await house.text(f"{word} {next(codes)}", number)
            counts.append(statements(house))
    assert counts[2:4] == counts[4:]  # after those that a first batch takes
    assert set(house.rows("shopper", "language")) == {("ru",)}


def statements(house: House) -> int:
    """Drain; how many statements that took."""
    counted: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        counted.append(statement)

    event.listen(house.engine, "before_cursor_execute", count)
    house.drain()
    event.remove(house.engine, "before_cursor_execute", count)
    return len(counted)


async def test_what_was_told_later_stays(house: House, code: str) -> None:
    """A choice by call, and a text from before it that is settled after it."""
    await house.text(f"дякую {code}")
    house.drain()
    await house.call_desk().choose_language(ANNA, "en")
    with database.writing(house.engine) as connection:
        speak(connection, {1: ("kk", 5)})
    assert house.rows("shopper", "language") == [("en",)]


async def test_over_a_limit_a_text_without_a_code_hears_of_no_code(house: House) -> None:
    house.limits = LimitSettings(messages_per_minute=UNANSWERED)
    house.answers = AnswerSettings(replies_per_hour=30)
    house.store = house.claims()
    house.firm()
    house.campaign(language="uk")
    for n in range(UNANSWERED + 1):
        await house.text("баланс рахмет" + "!" * n, AIGERIM)
    house.drain()
    answer = house.waiting_answers()[-1][1]
    until = datetime.fromtimestamp(house.observed[-1].accepted.limited_until, ZoneInfo("Asia/Almaty"))
    words = texts.load("kk")
    beginning, _, _ = words.sentences["limited_text"].partition("{time}")
    told = {words.date(style, until + timedelta(minutes=n)) for style in words.dates for n in (0, 1)}
    assert answer.startswith(beginning)
    assert answer.removeprefix(beginning).rstrip(".") in told


async def test_a_new_alias_that_nobody_would_be_told_is_none(house: House) -> None:
    house.answers = AnswerSettings(replies_per_hour=1)
    house.store = house.claims()
    house.firm()
    house.campaign()
    await house.text("ALIAS")
    house.drain()
    before = house.rows("alias", "id", "ends_at")
    verdict = await house.text("NEW ALIAS")
    house.drain()
    assert verdict.quiet
    assert before == house.rows("alias", "id", "ends_at")
    house.pass_time(ANNA, 3601)
    house.forget_texts()
    await house.text("NEW ALIAS")
    house.drain()
    assert len(house.rows("alias", "id")) == len(before) + 1


def said(language: str, points: int, balance: int) -> str:
    words = texts.load(language)
    return words.say("activated", points=words.count("points", points), balance=balance)
