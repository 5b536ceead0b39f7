"""ALIAS and NEW ALIAS by text, and the text that proves a caller's number: answers and what stands."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import Connection, event, update
from sqlalchemy.exc import IntegrityError

from config.settings import AliasSettings
from gateway.domain.people.alias import Alias, counter_of
from gateway.store.people import aliases
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.texts.outbox import Outbox
from gateway.usecases.calls.free_number import CallDesk
from tests.integration.house import ANNA, BOHDAN, SHORT, House

DAY_MS = 86_400_000
USABLE = "Your alias can be used now."


@pytest.fixture
def desk(house: House) -> CallDesk:
    """Calls to a house with one running campaign and codes."""
    house.firm()
    house.codes(house.campaign())
    return house.call_desk()


async def say(house: House, *texts: str, number: str = ANNA) -> list[str]:
    """Texts, each settled by itself; their answers."""
    answers = []
    for text in texts:
        before = len(house.waiting_answers())
        await house.text(text, number)
        house.drain()
        house.forget_texts()
        answers += [said for _, said in house.waiting_answers()[before:]]
    return answers


def told_alias(answer: str) -> str:
    """The digits in an answer."""
    return answer.partition("lias: ")[2].partition(". ")[0].replace(" ", "")


def rows_of(house: House, number: str = ANNA) -> list[Alias]:
    """All aliases of a shopper, the newest last."""
    [person] = [id_ for id_, key in house.rows("shopper", "id", "key") if key == house.vault.index(number)]
    with house.engine.connect() as connection:
        return aliases.of(connection, [person]).get(person, [])


def usable(house: House, number: str = ANNA) -> list[bool]:
    """Whether each alias of a shopper may spend now."""
    return [alias.may_spend(int(time.time() * 1000)) for alias in rows_of(house, number)]


def age(house: House, days: float) -> None:
    """Let all aliases be older than they are."""
    t = schema.alias
    shift = int(days * DAY_MS)
    with database.writing(house.engine) as connection:
        connection.execute(update(t).values(created_at=t.c.created_at - shift, ends_at=t.c.ends_at - shift))


# A new alias


async def test_a_new_alias_takes_the_place_of_the_old_one_which_dies_after_a_grace(
    house: House, desk: CallDesk
) -> None:
    old, new, again = await say(house, "alias", "new alias", "ALIAS!")
    now = int(time.time() * 1000)

    assert old.startswith("Your alias: ")
    assert new.startswith("Your new alias: ")
    day = time.strftime("%d %b %Y", time.gmtime(rows_of(house)[0].ends_at // 1000 + 2 * 3600))  # type: ignore[operator]
    assert new.endswith(f"The old one works until {day}.")
    assert told_alias(old) != told_alias(new) == told_alias(again)
    first, second = rows_of(house)
    assert 6.9 * DAY_MS < (first.ends_at or 0) - now < 7 * DAY_MS
    assert [first.lives(now), first.lives(now + 7 * DAY_MS), second.lives(now + 999 * DAY_MS)] == [
        *(True, False, True)
    ]
    assert counter_of(told_alias(new), desk.alias_key) == second.counter


async def test_whoever_has_none_gets_the_first_one(house: House, desk: CallDesk) -> None:
    del desk
    first, second = await say(house, "new alias", "new alias")

    assert first.startswith("Your alias: ")
    assert second.startswith("Your new alias: ")


async def test_there_are_so_many_new_ones_a_month(house: House, desk: CallDesk) -> None:
    del desk
    house.aliases = AliasSettings(new_per_month=2)
    answers = await say(house, "alias", "new alias", "new alias", "new alias")
    kept = answers[-1]
    age(house, 29.9)
    still = (await say(house, "new alias"))[0]
    age(house, 0.2)
    granted = (await say(house, "new alias"))[0]

    assert told_alias(kept) == told_alias(answers[2])
    assert "You can have a new one after" in kept
    assert "You can have a new one after" in still
    assert granted.startswith("Your new alias: ")


async def test_another_shopper_keeps_theirs(house: House, desk: CallDesk) -> None:
    del desk
    [before] = await say(house, "alias", number=BOHDAN)
    await say(house, "alias", "new alias")

    assert await say(house, "alias!", number=BOHDAN) == [before]


async def test_a_text_that_is_settled_again_gets_no_further_alias(house: House, desk: CallDesk) -> None:
    del desk
    await say(house, "alias")
    await house.text("new alias")
    entries: Any = house.redis.xrange(keys.outbox(1))
    house.drain()
    once = rows_of(house)
    [(_, fields)] = entries
    house.redis.xadd(keys.outbox(1), {**fields, "was": entries[0][0]})
    house.drain()

    assert rows_of(house) == once
    assert len(once) == 2
    assert not Outbox(house.redis, 1).waiting()


async def test_texts_of_one_batch_are_answered_in_their_order(house: House, desk: CallDesk) -> None:
    del desk
    for text in ("alias", "new alias", "alias!"):
        await house.text(text)
    house.drain()
    first, second, third = [told_alias(text) for _, text in house.waiting_answers()]

    assert first != second == third


def test_two_workers_that_replace_an_alias_at_once_replace_it_once(house: House) -> None:
    """Two firms are settled by two workers, and an alias is of all firms."""
    house.firm()
    with database.writing(house.engine) as connection:
        connection.execute(schema.shopper.insert().values(id=1, key="k", number=b"", created_at=0))
        [current] = aliases.give(connection, {1: None}, 0)[1]
    done = []
    for text in ("a", "b"):
        with database.writing(house.engine) as connection:
            done.append(aliases.replace(connection, current, message_id=text, now=1, ends_at=2))
    with house.engine.connect() as connection:
        found = aliases.of(connection, [1])[1]

    assert done == [True, False]
    assert [(alias.message_id, alias.ends_at) for alias in found] == [(None, 2), ("a", None)]


# The proof of a caller's number


async def test_the_first_text_after_a_call_proves_the_number_and_is_told_so(
    house: House, desk: CallDesk
) -> None:
    await say(house, "balance")
    await desk.alias(ANNA)
    before = usable(house)
    proving, next_ = await say(house, "balance", "balance")

    assert (before, usable(house)) == ([False], [True])
    assert proving == f"Your balance: 0 points. {USABLE}"
    assert next_ == "Your balance: 0 points."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("good morning", USABLE),
        ("stop", f"You are unsubscribed. We will not send you any more offers. {USABLE}"),
        ("0000-0000-00000", f"There is no such code. Please check it and send it again. {USABLE}"),
    ],
)
async def test_any_text_proves_it(house: House, desk: CallDesk, text: str, answer: str) -> None:
    await desk.alias(ANNA)

    assert await say(house, text) == [answer]
    assert usable(house) == [True]


async def test_a_text_that_says_nothing_proves_it_when_the_days_hint_was_given(
    house: House, desk: CallDesk
) -> None:
    assert len(await say(house, "good morning", "nice weather")) == 1
    await desk.alias(ANNA)
    await desk.text_alias(ANNA, SHORT, "en")
    house.drain()

    assert await say(house, "very nice weather") == [USABLE]
    assert usable(house) == [True]


async def test_a_further_call_wants_a_further_text(house: House, desk: CallDesk) -> None:
    await desk.alias(ANNA)
    await say(house, "balance")
    await desk.alias(ANNA)

    assert usable(house) == [False]


async def test_a_text_from_before_the_call_that_is_settled_after_it_proves_nothing(
    house: House, desk: CallDesk
) -> None:
    await house.text("balance")
    _tick_after(_last_id_ms(house))
    await desk.alias(ANNA)
    house.drain()

    assert usable(house) == [False]
    assert house.waiting_answers() == [(ANNA, "Your balance: 0 points.")]


def _tick_after(ms: int) -> None:
    """Until the clock has passed a millisecond."""
    while int(time.time() * 1000) <= ms:
        pass


def _last_id_ms(house: House) -> int:
    entries: Any = house.redis.xrevrange(keys.outbox(1), count=1)
    return int(entries[0][0].split(b"-")[0])


async def test_neither_a_page_nor_the_call_itself_proves_it(house: House, desk: CallDesk) -> None:
    await desk.alias(ANNA)
    await desk.text_alias(ANNA, SHORT, "en")
    await desk.activate(ANNA, SHORT, house.codes(1)[0], "en")
    await desk.stop(ANNA, SHORT, "en")
    house.drain()

    assert usable(house) == [False]


async def test_whoever_did_not_call_gets_a_new_one_and_the_heard_one_never_spends(
    house: House, desk: CallDesk
) -> None:
    heard = await desk.alias(ANNA)
    answer, balance = await say(house, "new alias", "balance")

    assert told_alias(answer) != heard.digits
    assert balance == "Your balance: 0 points."
    assert usable(house) == [False, True]


async def test_a_new_one_is_proved_for_itself(house: House, desk: CallDesk) -> None:
    await desk.alias(ANNA)
    await say(house, "new alias")
    await desk.alias(ANNA)
    before = usable(house)
    [answer] = await say(house, "balance")

    assert answer.endswith(USABLE)
    assert (before, usable(house)) == ([False, False], [False, True])


async def test_an_alias_by_sms_after_a_call_says_what_to_do(house: House, desk: CallDesk) -> None:
    told = await desk.alias(ANNA)
    await desk.text_alias(ANNA, SHORT, "en")
    house.drain()
    [(_, answer)] = house.waiting_answers()

    assert told_alias(answer) == told.digits
    assert answer.endswith(
        "To spend with it, first send any SMS to 4040. It was not you who called? Send NEW ALIAS."
    )


@pytest.mark.parametrize(("told", "writes"), [(False, 0), (True, 1)])
async def test_a_batch_asks_sql_once_more_only_where_a_text_proves_a_number(
    house: House, desk: CallDesk, told: bool, writes: int
) -> None:
    """The settlement of texts that all write every second knows nothing of aliases."""
    numbers = [f"38067000{n:04d}" for n in range(5)]
    for number in numbers:
        await say(house, "balance", number=number)
        if told:
            await desk.alias(number)
    for number in numbers:
        await house.text("balance", number)
    counted: list[str] = []

    def count(*args: Any) -> None:
        counted.append(args[2])

    event.listen(house.engine, "before_cursor_execute", count)
    house.drain()
    event.remove(house.engine, "before_cursor_execute", count)

    about = [statement for statement in counted if "alias" in statement and "balance" not in statement]
    assert len(about) == writes


def test_a_person_has_one_alias_at_a_time(house: House) -> None:
    def give(connection: Connection, id_: int) -> None:
        connection.execute(schema.alias.insert().values(id=id_, shopper_id=1, created_at=0))

    with database.writing(house.engine) as connection:
        connection.execute(schema.shopper.insert().values(id=1, key="k", number=b"", created_at=0))
        give(connection, 1)
    with pytest.raises(IntegrityError), database.writing(house.engine) as connection:
        give(connection, 2)
