"""What a call may ask for: the alias, its SMS, a code, the balance, a language, no more offers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, event

from config.settings import AnswerSettings, LimitSettings, RedisSettings
from gateway.domain.answers.outcome import Outcome
from gateway.domain.people.alias import counter_of
from gateway.store.redis import connect, keys
from gateway.store.redis.durable import DurableRedis
from gateway.usecases.calls import free_number
from gateway.usecases.calls.free_number import Away, CallDesk
from tests import databases
from tests.integration.house import ANNA, BOHDAN, SHORT, House, Server

Asks = Callable[[CallDesk], Awaitable[Any]]


@pytest.fixture
def desk(house: House) -> CallDesk:
    """The desk of a house with one running campaign."""
    house.firm()
    house.campaign()
    return house.call_desk()


# The alias


async def test_the_first_call_makes_a_shopper_with_an_alias_that_lasts(house: House, desk: CallDesk) -> None:
    first, again, other = [(await desk.alias(number)).digits for number in (ANNA, ANNA, BOHDAN)]

    assert first == again != other
    assert counter_of(first, desk.alias_key) == 1
    assert house.rows("shopper", "key") == [(house.vault.index(n),) for n in (ANNA, BOHDAN)]


async def test_an_alias_is_the_same_by_call_and_by_text(house: House, desk: CallDesk) -> None:
    called = (await desk.alias(ANNA)).digits
    for number in (ANNA, BOHDAN):
        await house.text("alias", number)
    house.drain()
    texted = [text.partition(": ")[2][:11].replace(" ", "") for _, text in house.waiting_answers()]

    assert texted == [called, (await desk.alias(BOHDAN)).digits]


async def test_an_alias_is_noted_as_told_by_call_each_time(house: House, desk: CallDesk) -> None:
    begun = int(time.time() * 1000)
    await desk.alias(ANNA)
    [(told, texted)] = house.rows("alias", "told_at", "texted_at")

    assert begun <= told <= time.time() * 1000
    assert texted is None


async def test_a_worker_and_calls_that_give_the_first_alias_at_once_tell_the_same(
    house: House, desk: CallDesk
) -> None:
    numbers = [f"38067000{n:04d}" for n in range(40)]
    for number in numbers:
        await house.text("alias", number)
    settling = asyncio.create_task(asyncio.to_thread(house.drain))
    called = await asyncio.gather(*map(desk.alias, numbers))
    await settling
    texted = {to: text.partition(": ")[2][:11].replace(" ", "") for to, text in house.waiting_answers()}

    assert [texted[number] for number in numbers] == [told.digits for told in called]
    assert len(house.rows("alias", "id")) == len(numbers)


async def test_callers_of_one_moment_share_a_transaction(house: House, desk: CallDesk) -> None:
    commits: list[object] = []
    event.listen(house.engine, "commit", commits.append)
    told = await asyncio.gather(*(desk.alias(f"38067000{n % 30:04d}") for n in range(40)))

    assert len(commits) < 10
    assert [t.digits for t in told[30:]] == [t.digits for t in told[:10]]
    assert len({t.digits for t in told}) == len(house.rows("alias", "id")) == 30


async def test_one_who_hung_up_meanwhile_takes_nothing_from_the_others(desk: CallDesk) -> None:
    gone, stays = asyncio.create_task(desk.alias(ANNA)), asyncio.create_task(desk.alias(BOHDAN))
    await asyncio.sleep(0)
    gone.cancel()

    assert (await stays).digits == (await desk.alias(BOHDAN)).digits


# By SMS


async def test_the_alias_comes_by_sms_once_however_often_the_key_is_pressed(
    house: House, desk: CallDesk
) -> None:
    told = await desk.alias(ANNA)
    for _ in range(10):
        await desk.text_alias(ANNA, SHORT, "en")
    house.drain()
    for _ in range(10):
        await desk.text_alias(ANNA, SHORT, "en")
    house.drain()

    [(to, text)] = house.waiting_answers()
    assert (to, told.digits in text.replace(" ", "")) == (ANNA, True)


async def test_a_later_call_gets_its_sms_again(house: House, desk: CallDesk) -> None:
    await desk.text_alias(ANNA, SHORT, "en")
    house.forget_texts()
    await desk.text_alias(ANNA, SHORT, "en")
    house.drain()

    assert len(house.waiting_answers()) == 2


async def test_so_many_callers_whom_nobody_knows_are_let_in_and_the_known_go_on(house: House) -> None:
    house.firm()
    house.campaign()
    desk = house.call_desk(new_callers_per_hour=2)
    for number in (ANNA, BOHDAN):
        await desk.alias(number)
    stranger = "380670000009"
    with pytest.raises(Away):
        await desk.alias(stranger)
    with pytest.raises(Away):
        await desk.text_alias(stranger, SHORT, "en")
    await desk.alias(ANNA)
    await desk.text_alias(BOHDAN, SHORT, "en")
    house.drain()

    assert len(house.rows("shopper", "id")) == 2
    assert [number for number, _ in house.waiting_answers()] == [BOHDAN]
    assert 3500 < house.redis.ttl(keys.NEWCOMERS) <= keys.NEWCOMERS_WINDOW


async def test_an_sms_is_asked_for_while_sql_is_away_and_leaves_later(house: House, desk: CallDesk) -> None:
    await desk.text_alias(BOHDAN, SHORT, "en")  # the claims are open: SQL was asked once
    gone = house.call_desk(engine=create_engine("sqlite:////nowhere/undercap.db"))
    with pytest.raises(Away):
        await gone.alias(ANNA)
    await gone.text_alias(ANNA, SHORT, "uk")
    house.drain()

    assert [to for to, _ in house.waiting_answers()] == [BOHDAN, ANNA]


async def test_where_no_link_carries_the_number_no_sms_is_promised(house: House, desk: CallDesk) -> None:
    del desk
    with pytest.raises(Away):
        await house.call_desk(link="").text_alias(ANNA, SHORT, "en")
    assert house.drain() == 0


async def test_over_a_limit_no_sms_is_promised(house: House) -> None:
    house.limits = LimitSettings(messages_per_minute=1)
    house.firm()
    house.campaign()
    desk = house.call_desk(store=house.claims())
    await house.text("balance")
    for _ in range(2):
        with pytest.raises(Away):
            await desk.text_alias(ANNA, SHORT, "en")
    await desk.text_alias(BOHDAN, SHORT, "en")
    house.drain()

    assert house.rows("alias", "shopper_id") == [(2,)]


async def test_once_the_sms_of_an_hour_are_used_up_none_is_promised(house: House) -> None:
    house.answers = AnswerSettings(replies_per_hour=1)
    house.firm()
    house.campaign()
    desk = house.call_desk(store=house.claims())
    await desk.text_alias(BOHDAN, SHORT, "en")
    await house.text("balance")
    for _ in range(2):  # the second is taken for the first
        with pytest.raises(Away):
            await desk.text_alias(ANNA, SHORT, "en")
    await desk.text_alias(BOHDAN, SHORT, "en")  # is on its way already
    house.drain()
    assert [to for to, _ in house.waiting_answers()] == [BOHDAN, ANNA]

    house.pass_time(ANNA, 3600)
    house.forget_texts()
    await desk.text_alias(ANNA, SHORT, "en")
    house.drain()
    assert [to for to, _ in house.waiting_answers()] == [BOHDAN, ANNA, ANNA]


# Codes


async def test_a_keyed_code_is_credited_once_and_confirmed(house: House, desk: CallDesk) -> None:
    code = house.codes(1)[0].replace("-", "")
    first = await desk.activate(ANNA, SHORT, code, "en")
    again = await desk.activate(ANNA, SHORT, code, "en")
    house.drain()

    assert [a.codes[0].outcome for a in (first, again)] == [Outcome.ACTIVATED] * 2
    assert (first.fresh, again.fresh) == (True, False)
    assert house.waiting_answers() == [(ANNA, "Code accepted: +10 points. Balance: 10.")]
    assert house.rows("activation", "channel") == [("call",)]
    assert (await desk.balance(ANNA, SHORT), await desk.balance(BOHDAN, SHORT)) == (10, 0)


@pytest.mark.parametrize("keyed", ["", "1", "9" * 13, "9" * 40, "380671234567"])
async def test_what_is_no_code_is_told_so(desk: CallDesk, keyed: str) -> None:
    answered = await desk.activate(ANNA, SHORT, keyed, "en")

    assert [code.outcome for code in answered.codes] == [Outcome.INVALID]


async def test_wrong_codes_are_budgeted_together_with_those_by_text(house: House, desk: CallDesk) -> None:
    good = house.codes(1)[0]
    await house.text(" ".join(f"0000-0000-{n:05d}" for n in range(9)))
    await desk.activate(ANNA, SHORT, "0000000099999", "en")
    limited = await desk.activate(ANNA, SHORT, good, "en")

    assert limited.codes[0].outcome is Outcome.LIMITED
    assert limited.limited_until > time.time()


# No more offers


async def test_stop_holds_for_every_firm_at_the_number_and_is_confirmed_once(house: House) -> None:
    for firm in ("acme", "other"):
        house.firm(firm)
        house.codes(house.campaign(firm))
    desk = house.call_desk()
    for _ in range(3):
        await desk.stop(ANNA, SHORT, "en")
    house.drain()

    assert [house.consent(ANNA, firm) for firm in (1, 2)] == ["out", "out"]
    assert [text for _, text in house.waiting_answers()] == [
        "You are unsubscribed. We will not send you any more offers."
    ]
    assert set(house.rows("consent_entry", "firm_id", "state", "how")) == {
        (1, "withdrawn", "call"),
        (2, "withdrawn", "call"),
    }


async def test_stop_is_heard_over_a_limit(house: House) -> None:
    house.limits = LimitSettings(messages_per_minute=1)
    house.firm()
    house.campaign()
    desk = house.call_desk(store=house.claims())
    await desk.text_alias(ANNA, SHORT, "en")
    await desk.stop(ANNA, SHORT, "en")
    house.drain()

    assert house.consent(ANNA) == "out"
    assert "You are unsubscribed" in house.waiting_answers()[-1][1]


async def test_stop_is_heard_where_no_link_carries_the_confirmation(house: House, desk: CallDesk) -> None:
    del desk
    await house.call_desk(link="").stop(ANNA, SHORT, "en")

    assert house.consent(ANNA) == "out"


async def test_stop_after_start_by_text_is_not_taken_for_the_one_before(house: House, desk: CallDesk) -> None:
    await desk.stop(ANNA, SHORT, "en")
    await house.text("start")
    await desk.stop(ANNA, SHORT, "en")

    assert house.consent(ANNA) == "out"


# Language


async def test_a_language_is_kept(house: House, desk: CallDesk) -> None:
    await house.text("дякую, псевдонім", BOHDAN)
    house.drain()
    before = [await desk.language(number) for number in (ANNA, BOHDAN)]
    for number in (ANNA, BOHDAN):
        await desk.choose_language(number, "kk")

    assert before == [None, "uk"]
    assert [await desk.language(number) for number in (ANNA, BOHDAN)] == ["kk", "kk"]


# Faults

ASKS: dict[str, Asks] = {
    "language": lambda desk: desk.language(ANNA),
    "a language is chosen": lambda desk: desk.choose_language(ANNA, "uk"),
    "alias": lambda desk: desk.alias(ANNA),
    "balance": lambda desk: desk.balance(ANNA, SHORT),
    "alias by sms": lambda desk: desk.text_alias(ANNA, SHORT, "en"),
    "code": lambda desk: desk.activate(ANNA, SHORT, "0000000000000", "en"),
    "stop": lambda desk: desk.stop(ANNA, SHORT, "en"),
}
OF_SQL, OF_REDIS = list(ASKS)[:4], list(ASKS)[4:]


@pytest.mark.parametrize("name", OF_SQL)
async def test_a_database_that_does_not_answer_is_told_in_time(
    house: House, desk: CallDesk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Somebody holds the tables: writers wait. Readers do not: they find a database that is gone."""
    monkeypatch.setattr(free_number, "ANSWER_WITHIN_S", 0.1)
    gone = house.call_desk(engine=create_engine("sqlite:////nowhere/undercap.db"))
    asked = gone if name in ("language", "balance") else desk
    begun = time.monotonic()
    with databases.write_locked(house.sql_url), pytest.raises(Away):
        await ASKS[name](asked)

    assert time.monotonic() - begun < 10  # SQLite itself would wait for 20 s


@pytest.mark.parametrize("name", OF_REDIS)
async def test_a_redis_that_is_gone_is_told(house: House, name: str) -> None:
    house.firm()
    house.codes(house.campaign())
    nobody = connect.async_client("unix:///nowhere/redis", RedisSettings())
    away = house.call_desk(store=house.claims(DurableRedis(nobody)))
    with pytest.raises(Away):
        await ASKS[name](away)
    await nobody.aclose()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", OF_REDIS)
async def test_a_redis_that_hangs_is_told_in_time_and_works_again(
    own_server: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    house = House(server_url=own_server.url, state=tmp_path)
    house.firm()
    house.codes(house.campaign())
    desk = house.call_desk()
    await desk.text_alias(BOHDAN, SHORT, "en")  # its claims are open
    own_server.freeze()
    monkeypatch.setattr(free_number, "ANSWER_WITHIN_S", 0.2)
    with pytest.raises(Away):
        await ASKS[name](desk)
    own_server.thaw()
    monkeypatch.undo()
    await ASKS[name](desk)  # what was given up in mid call does no harm to the next
    house.drain()
    assert [to for to, _ in house.waiting_answers()] == [BOHDAN, ANNA]
    await house.close()


@pytest.mark.parametrize("name", [*OF_REDIS, "balance"])
async def test_a_free_number_whose_short_number_has_no_campaign(house: House, name: str) -> None:
    house.firm()
    with pytest.raises(Away):
        await ASKS[name](house.call_desk())


async def test_no_number_stands_in_redis_or_sql(house: House, desk: CallDesk) -> None:
    await desk.alias(ANNA)
    await desk.text_alias(ANNA, SHORT, "en")
    await desk.stop(ANNA, SHORT, "en")
    stream: Any = house.redis.xrange(keys.outbox(1))

    assert ANNA.encode() not in b"".join(value for _, entry in stream for value in entry.values())
    assert not any(ANNA in name for name in house.names())
    assert ANNA.encode() not in house.rows("shopper", "number")[0][0]
