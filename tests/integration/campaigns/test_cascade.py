"""A cascade: whom a blast has not reached is tried by the other channel, once, and nobody else is."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from campaigns.errors import Refused
from campaigns.fan_out import fan_out
from campaigns.fan_out.fan_out import FanOut, Step
from campaigns.fan_out.selection import Drawing
from campaigns.lifecycle import draft, lifecycle
from campaigns.lifecycle.draft import NewBlast
from campaigns.lifecycle.runner import Running
from campaigns.preflight.preflight import preflight
from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import Outcome
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import NOON, WORDS, Market, outcome

HOUR_MS = 3_600_000


async def ended(market: Market, ends: dict[int, str]) -> None:
    """Let the text of each shopper end so; who is not told waits on."""
    taken = {w.message_id: w for w in await market.take()}
    rows = market.house.rows("message", "id", "shopper_id")
    await market.end([outcome(taken[id_], ends[who]) for id_, who in rows if who in ends])


async def test_who_got_no_text_is_called_and_who_did_or_may_have_is_not(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(5)
    market.shoppers(1, first=100, consent="in:1|out:2")  # 6: texts, and no calls
    texts = market.launched()
    calls = dialling.launched(follows=texts.id)
    market.fan_out(texts)
    assert market.fan_out(calls) == [Step.IDLE]

    await ended(market, {1: "failed", 2: "expired", 3: "unknown", 4: "accepted", 5: "accepted", 6: "failed"})
    market.fan_out(calls)
    assert dialling.waiting(calls) == [1, 2]
    assert market.results(calls).denied == {"withdrawn": 1}

    (receipted,) = [id_ for id_, who in market.house.rows("message", "id", "shopper_id") if who == 5]
    await market.receipt(receipted)
    market.now += HOUR_MS - 1
    market.fan_out(calls)
    assert dialling.waiting(calls) == [1, 2]
    market.now += 1
    market.fan_out(calls)
    assert dialling.waiting(calls) == [1, 2, 4]


HEARD = [Outcome.ACCEPTED, Outcome.LATER, Outcome.REFUSED, Outcome.HEARD, Outcome.HUNG_UP]
NEVER = [Outcome.MESSAGE_LEFT, Outcome.REJECTED, Outcome.BAD_NUMBER, Outcome.WITHDRAWN, Outcome.UNKNOWN]
NOBODY = [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.UNREACHABLE, Outcome.MACHINE, Outcome.FAILED]


async def test_who_did_not_take_a_call_gets_a_text_once_no_attempt_is_left(
    market: Market, dialling: Dialling
) -> None:
    outcomes = [*NOBODY, *HEARD, *NEVER]
    numbers = market.shoppers(len(outcomes) + 1)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    for shopper, came in enumerate(outcomes, 1):
        dialling.end(calls, came, shopper)
    dialling.end(calls, Outcome.BUSY, len(numbers), again_at=NOON + HOUR_MS)
    market.fan_out(texts)
    assert sorted(number for number, _ in market.waiting()) == numbers[: len(NOBODY)]


async def test_it_is_over_when_nobody_can_become_unreached_any_more(
    market: Market, dialling: Dialling
) -> None:
    numbers = market.shoppers(3)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    dialling.end(calls, Outcome.NO_ANSWER, 2)
    dialling.end(calls, Outcome.HEARD, 3)
    market.fan_out(texts)
    assert await market.send_all() == [numbers[1]]
    assert market.fan_out(texts) == [Step.IDLE]  # the first is called still
    dialling.end(calls, Outcome.NO_ANSWER, 1)
    assert market.fan_out(calls) == [Step.OVER]
    assert market.fan_out(texts)[-1] is Step.IDLE
    assert await market.send_all() == [numbers[0]]
    assert market.fan_out(texts) == [Step.OVER]
    assert market.again(texts).state is State.FINISHED
    assert market.states(texts) == {"texted": 2}


async def test_texts_without_a_receipt_keep_it_waiting_though_the_blast_is_over(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(1)
    texts = market.launched()
    calls = dialling.launched(follows=texts.id, follow_after_s=7200)
    market.fan_out(texts)
    await market.send_all()
    assert market.fan_out(texts) == [Step.OVER]
    market.now += 2 * HOUR_MS - 1
    assert market.fan_out(calls) == [Step.IDLE]
    market.now += 1
    market.fan_out(calls)
    assert dialling.waiting(calls) == [1]
    dialling.end(calls, Outcome.HEARD)
    assert market.fan_out(calls) == [Step.OVER]


async def test_of_a_cancelled_one_it_takes_who_was_unreached_by_then(
    market: Market, dialling: Dialling
) -> None:
    numbers = market.shoppers(4)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    dialling.end(calls, Outcome.NO_ANSWER, 1)
    dialling.end(calls, Outcome.BUSY, 2, again_at=NOON + HOUR_MS)
    lifecycle.cancel(market.desk, market.again(calls), market.now)
    Running(market.desk, FanOut(market.desk), stop=lambda: False).sweep()
    market.fan_out(texts)
    assert sorted(await market.send_all()) == numbers[:2]  # 3 and 4 were never called
    assert market.fan_out(texts)[-1] is Step.OVER


async def test_pass_after_pass_finds_everybody_and_nobody_twice(
    market: Market, dialling: Dialling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody behind whom the pass is already becomes unreached while it goes on."""
    monkeypatch.setattr(fan_out, "BATCH", 2)
    market.shoppers(9)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    dialling.end(calls, Outcome.BUSY, 3, 4, 6, 7, 8)
    assert market.fan_out(texts, most=1) == [Step.WORKED]
    assert market.again(texts).last_shopper == 4
    dialling.end(calls, Outcome.BUSY, 1)
    market.fan_out(texts)
    dialling.end(calls, Outcome.BUSY)
    market.fan_out(calls)
    market.fan_out(texts)
    assert market.states(texts) == {"texted": 9}


async def test_a_pass_that_has_found_all_rests_before_the_next(
    market: Market, dialling: Dialling, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.shoppers(2)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    drawing, now = Drawing(market.desk), [0.0]
    monkeypatch.setattr("campaigns.fan_out.selection.time.monotonic", lambda: now[0])

    def found() -> list[int]:
        now[0] += 1.0  # a look takes a second or two
        return [m.shopper_id for m in drawing.next(market.again(texts), market.now, 10).members]

    monkeypatch.setattr(
        "campaigns.fan_out.selection.unreached.is_over", lambda *_: now.__setitem__(0, now[0] + 1.0)
    )
    assert found() == []
    dialling.end(calls, Outcome.BUSY, 1)
    assert found() == []
    now[0] += 20.0
    assert found() == [1]


def test_whoever_follows_is_launched_though_nobody_is_there_yet(market: Market, dialling: Dialling) -> None:
    market.shoppers(11)
    calls = dialling.launched()
    flight = preflight(market.desk, market.blast(follows=calls.id), market.now)
    assert (flight.audience, flight.forbids) == (0, [])
    assert flight.warns == [f"blast {calls.id} has left hardly anybody for it yet: it waits for them"]


async def test_preflight_of_one_that_follows_counts_who_is_unreached_so_far(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(30)
    calls = dialling.launched()
    market.fan_out(calls)
    dialling.end(calls, Outcome.BUSY, *range(1, 13))
    flight = preflight(market.desk, market.blast(follows=calls.id), market.now)
    assert (flight.audience, flight.now, flight.forbids) == (12, 12, [])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "the same channel": ({"follows": 1}, "blast 1 writes, too; a blast follows one of the other channel"),
    "itself, or one to come": ({"follows": 3}, "there is no blast 3"),
    "an audience, too": ({"follows": 2, "audience": 1}, "leave it out"),
    "a holdout": ({"follows": 2, "holdout": 0.1}, "holdout, spread_s"),
    "spread over a time": ({"follows": 2, "spread_s": 60}, "holdout, spread_s"),
    "a time after calls": ({"follows": 2, "follow_after_s": 60}, "follow_after_s: is of texts"),
    "a time after nothing": ({"audience": 1, "follow_after_s": 60}, "only of a blast that follows"),
    "neither audience nor blast": ({"audience": None}, "audience: is needed"),
}


@pytest.mark.parametrize(("changes", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_follow_is_refused(
    market: Market, dialling: Dialling, changes: dict[str, Any], why: str
) -> None:
    market.blast()
    market.blast(call=dialling.plan(), audience=1)
    with pytest.raises(Refused, match=why):
        market.blast(**changes)


def test_one_of_another_firm_is_not_followed(market: Market, dialling: Dialling) -> None:
    theirs = market.blast(call=dialling.plan())
    other = market.house.firm("other")
    campaign = market.house.campaign(firm="other", short_numbers=("5050",))
    new = NewBlast(name="x", campaign=campaign, texts=WORDS, follows=theirs.id)
    with pytest.raises(Refused, match=f"there is no blast {theirs.id}"):
        draft.create(market.desk, other, new, market.now)


def test_processes_at_once_take_each_of_the_unreached_once(market: Market, dialling: Dialling) -> None:
    """SQLite lets one write at a time; on PostgreSQL several are really under way together."""
    numbers = market.shoppers(60)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    dialling.end(calls, Outcome.BUSY)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(market.fan_out, texts) for _ in range(4)]:
            done.result()
    assert Counter(number for number, _ in market.waiting()) == Counter(numbers)
