"""Limits on a real Valkey: budgets of texts, wrong codes, replies and hints, and STOP over any of them.

Nothing sleeps: the counters of a shopper are made older instead.
"""

from __future__ import annotations

import pytest

from config.settings import AnswerSettings, LimitSettings
from gateway.store.codes.claims import Verdict
from gateway.store.redis import keys
from gateway.usecases.codes import issue_codes
from tests.integration.house import ANNA, BOHDAN, House, plain

HOUR, DAY = 3600, 86_400


def wrong(n: int) -> str:
    """A code of the right form that was never issued, another for each n."""
    return f"9{n:012d}"


def several_wrong(first: int, count: int) -> str:
    return " ".join(wrong(first + n) for n in range(count))


@pytest.fixture
def code(house: House) -> str:
    """A good code; the house allows 4 texts a minute, 3 wrong codes an hour, 5 a day."""
    house.limits = LimitSettings(messages_per_minute=4, wrong_codes_per_hour=3, wrong_codes_per_day=5)
    house.answers = AnswerSettings(replies_per_hour=3, hints_per_day=1)
    house.store = house.claims()
    house.firm()
    return house.codes(house.campaign(), 5)[0]


async def test_texts_a_minute(house: House, code: str) -> None:
    kinds = [(await house.text(f"balance {'!' * n}")).kind for n in range(6)]
    other = (await house.text("balance", BOHDAN)).kind

    assert kinds == ["A", "A", "A", "A", "L", "Q"]
    assert other == "A"

    assert (await house.text(code)).kind == "Q"
    assert house.names("*:claim:*") == []
    house.pass_time(ANNA, 61)
    assert await house.text(f"{code} ") == Verdict(kind="A", codes=("C1",), quiet=True)


async def test_wrong_codes_an_hour(house: House, code: str) -> None:
    kinds = [(await house.text(wrong(n))).kind for n in range(4)]

    assert kinds == ["A", "A", "A", "L"]
    assert house.wrong_codes(ANNA) == (3, 3)
    house.pass_time(ANNA, 61)
    assert (await house.text(code)).kind == "Q"  # the good code is not looked up either, and stays good
    house.pass_time(ANNA, HOUR)
    house.forget_texts()
    assert await house.text(code) == Verdict(kind="A", codes=("C1",))


async def test_wrong_codes_a_day(house: House, code: str) -> None:
    await house.text(several_wrong(0, 3))
    house.pass_time(ANNA, HOUR)
    await house.text(several_wrong(10, 2))
    house.pass_time(ANNA, HOUR)

    assert (await house.text(code)).kind == "L"
    house.pass_time(ANNA, HOUR)
    assert (await house.text(f"{code}!")).kind == "Q"
    house.pass_time(ANNA, DAY)
    house.forget_texts()
    assert await house.text(code) == Verdict(kind="A", codes=("C1",))


async def test_more_wrong_codes_than_the_budget_learn_nothing(house: House, code: str) -> None:
    """One good code among many wrong ones: the budget is spent, and the answer says nothing of any."""
    await house.text(wrong(0))

    verdict = await house.text(f"{code} {several_wrong(1, 3)}")

    assert verdict == Verdict(kind="L")
    assert house.names("*:claim:*") == []
    assert house.wrong_codes(ANNA)[0] == 3
    house.drain()
    assert [answer for _, answer in house.waiting_answers()][-1].count("invalid") == 0
    assert "limited" in house.observed[-1].outcomes


async def test_budget_that_is_just_enough(house: House, code: str) -> None:
    verdict = await house.text(f"{code} {several_wrong(0, 3)}")

    assert verdict == Verdict(kind="A", codes=("C1",))
    assert (await house.text(wrong(9))).kind == "L"


async def test_budget_of_the_host_holds_for_every_firms_codes(house: House, code: str) -> None:
    house.firm("bolt")
    other = house.codes(house.campaign("bolt"), 1, "letters")[0]
    await house.text(several_wrong(0, 4))

    assert (await house.text(code)).kind == "Q"
    assert (await house.text(other)).kind == "Q"
    assert house.names("*:claim:*") == []


async def test_services_do_not_fall_under_the_code_budget(house: House, code: str) -> None:
    await house.text(several_wrong(0, 4))

    assert (await house.text("balance")).kind == "A"
    assert (await house.text(code)).kind == "Q"


async def test_voided_codes_spend_the_budget(house: House, code: str) -> None:
    series = house.series(1, 3)
    issue_codes.void_batch(house.engine, series.batches[0][0])
    house.publish(1)

    await house.text(" ".join(c for _, c in series.codes()))

    assert house.wrong_codes(ANNA) == (3, 3)
    assert (await house.text(code)).kind == "L"


async def test_told_once_until_when(house: House, code: str) -> None:
    await house.text(several_wrong(0, 4))
    for n in range(3):
        await house.text(f"{code} {'.' * n}")
    house.drain()

    answers = house.waiting_answers()

    assert len(answers) == 1
    assert "limited" in house.observed[0].outcomes
    assert house.observed[0].accepted.limited_until > house.observed[0].accepted.at // 1000 + HOUR - 10


async def test_what_was_limited_may_be_said_again_after_the_wait(house: House, code: str) -> None:
    """The shopper is told to wait a minute, and does; the same words are then no re-delivery."""
    for n in range(4):
        await house.text(f"balance {'!' * n}")
    assert (await house.text(code)).kind == "L"
    assert (await house.text(code)).kind == "D"  # the SMSC's own repetition, at once

    house.pass_time(ANNA, 61)

    assert await house.text(code) == Verdict(kind="A", codes=("C1",), quiet=True)


@pytest.mark.parametrize("said", ["STOP", "stop {code}", "stop {wrong}"])
async def test_stop_is_heard_over_any_limit_and_nothing_else_is(house: House, code: str, said: str) -> None:
    for n in range(6):
        await house.text(f"{several_wrong(10 * n, 4)}")

    await house.text(said.format(code=code, wrong=several_wrong(90, 2)))

    assert house.consent(ANNA) == "out"
    assert house.names("*:claim:*") == []
    house.drain()
    assert house.observed[-1].outcomes == ("opt_out",)
    assert house.rows("consent_entry", "state", "channel") == [("withdrawn", "sms"), ("withdrawn", "call")]
    assert len(house.waiting_answers()) == 2  # the limit, told once, and the confirmation of the STOP


@pytest.mark.usefixtures("code")
async def test_stop_over_a_limit_looks_at_no_firms_codes(house: House) -> None:
    house.firm("bolt")
    other = house.codes(house.campaign("bolt"), 1, "letters")[0]
    await house.text(several_wrong(0, 4))

    await house.text(f"stop. {other}")

    assert house.names("*:claim:*") == []
    assert [house.consent(ANNA, firm) for firm in (1, 2)] == ["out", "out"]


@pytest.mark.usefixtures("code")
async def test_stop_start_stop_is_a_stop(house: House) -> None:
    kinds = [(await house.text(said)).kind for said in ("stop", "start", "stop")]

    assert kinds == ["A", "A", "A"]
    assert house.consent(ANNA) == "out"


@pytest.mark.usefixtures("code")
async def test_consent_robot_is_not_answered_for_ever(house: House) -> None:
    """Another machine that answers each of our confirmations with its own STOP or START."""
    for n in range(40):
        await house.text(f"{('stop', 'start')[n % 2]}{'.' * n}")
        house.drain()

    assert len(house.waiting_answers()) <= 2 * house.answers.replies_per_hour


@pytest.mark.usefixtures("code")
async def test_replies_an_hour(house: House) -> None:
    codes = house.codes(1, 6)
    for one in codes:
        await house.text(one)
        older_minute(house)
    house.drain()

    assert house.balance(ANNA) == 60  # credited all the same
    assert len(house.waiting_answers()) == 3
    house.pass_time(ANNA, HOUR)
    await house.text("balance")
    house.drain()
    assert len(house.waiting_answers()) == 4


async def asked(house: House, said: str) -> Verdict:
    """A text in a minute of its own."""
    older_minute(house)
    return await house.text(said)


def older_minute(house: House, number: str = ANNA) -> None:
    """Only the minute's window ends."""
    ms, *rest = house.limits_of(number)
    house.set_limits(number, [max(0, ms - 61), *rest])


@pytest.mark.usefixtures("code")
async def test_what_gets_no_answer_is_told_to_whoever_asked_and_is_a_redelivery_all_the_same(
    house: House,
) -> None:
    for n in range(3):
        await house.text(f"balance {'!' * n}")
    said = ("alias", house.codes(1, 1)[0], "start", " ".join(map(wrong, range(4))))
    first = [await asked(house, text) for text in said]
    again = [await asked(house, text) for text in said]

    assert [(v.kind, v.quiet) for v in first] == [("A", True), ("A", True), ("A", False), ("L", True)]
    assert [(v.kind, v.first, v.quiet) for v in again] == [("D", v.kind, v.quiet) for v in first]
    assert first[1].codes == again[1].codes == ("C1",)


@pytest.mark.usefixtures("code")
async def test_what_was_limited_without_an_answer_may_be_said_again_after_the_wait(house: House) -> None:
    for n in range(3):
        await house.text(f"balance {'!' * n}")
    said = " ".join(map(wrong, range(4)))
    first = await house.text(said)
    older_minute(house)
    house.pass_time(ANNA, HOUR)
    again = await house.text(said)

    assert (first.kind, first.quiet) == ("L", True)
    assert (again.kind, again.quiet) == ("L", False)


@pytest.mark.usefixtures("code")
async def test_changed_consent_is_confirmed_when_replies_are_used_up(house: House) -> None:
    for n in range(3):
        await house.text(f"balance {'!' * n}")
    await house.text("stop")
    house.drain()

    assert house.observed[-1].outcomes == ("opt_out",)
    assert len(house.waiting_answers()) == 4


@pytest.mark.usefixtures("code")
async def test_one_hint_a_day(house: House) -> None:
    kinds = [(await house.text(said)).kind for said in ("good morning", "nice weather")]
    house.drain()

    assert kinds == ["A", "S"]
    assert len(house.waiting_answers()) == 1
    house.pass_time(ANNA, HOUR)
    assert (await house.text("good evening")).kind == "S"
    house.pass_time(ANNA, DAY)
    assert (await house.text("good night")).kind == "A"


@pytest.mark.usefixtures("code")
async def test_silent_text_is_not_stored_and_soon_forgotten(house: House) -> None:
    await house.text("good morning")
    house.drain()
    await house.text("nice weather")

    assert house.redis.xlen(keys.outbox(1)) == 0
    newest = max(house.redis.ttl(name) for name in house.names("*:seen:*"))
    assert newest <= keys.SEEN_UNSENT_TTL


@pytest.mark.usefixtures("code")
async def test_limits_checked_elsewhere_are_not_checked_again(house: House) -> None:
    """Mode f: the host has decided; another firm's own counters do not stand in the way."""
    house.firm("bolt")
    others = house.codes(house.campaign("bolt"), 8, "letters")

    for n, other in enumerate(others):
        verdict = await house.text(other)
        assert ("A" if n < 4 else verdict.kind) == verdict.kind
        older_minute(house)

    assert plain(verdict.codes) == "C"
    assert house.rows("wrong_code", "count") == []


@pytest.mark.usefixtures("code")
async def test_flood_does_not_turn_the_counters_over(house: House) -> None:
    """Counts are two octets wide in Redis: past the end they stand still."""
    await house.text("balance")
    ms, _, *rest = house.limits_of(ANNA)
    house.set_limits(ANNA, [ms, 65_535, *rest])

    kinds = {(await house.text(f"balance {n}")).kind for n in range(3)}

    assert kinds <= {"L", "Q"}
