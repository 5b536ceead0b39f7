"""Fan-out of a blast by call: everybody waits once for the dialer, a bounded number ahead."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from campaigns.fan_out import by_call, fan_out
from campaigns.fan_out.fan_out import FanOut, Step
from campaigns.lifecycle import lifecycle
from campaigns.lifecycle.runner import Running
from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import Outcome
from gateway.store.offers import call_list
from gateway.store.people import erasures
from gateway.store.sql import database
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import DAY_MS, NOON, Market

HOUR_MS = 3_600_000


async def test_everybody_waits_for_the_dialer_once_and_is_waited_for(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(5)
    blast = dialling.launched()
    assert market.fan_out(blast) == [Step.WORKED, Step.IDLE]
    assert dialling.waiting(blast) == [1, 2, 3, 4, 5]
    assert market.waiting() == []  # nothing is written
    assert market.states(blast) == {"called": 5}

    dialling.begin(blast, 5)
    dialling.end(blast, Outcome.HEARD, 1, 2, 3)
    dialling.end(blast, Outcome.BUSY, 4, again_at=NOON + HOUR_MS)
    assert market.fan_out(blast) == [Step.IDLE]
    dialling.end(blast, Outcome.HEARD, 4)
    assert market.fan_out(blast) == [Step.IDLE]
    dialling.end(blast, Outcome.HEARD, 5)
    assert market.fan_out(blast) == [Step.OVER]
    assert market.again(blast).state is State.FINISHED


async def test_only_so_many_wait_and_those_who_are_called_again_later_do_not_count(
    market: Market, dialling: Dialling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_call, "AHEAD", 40)
    monkeypatch.setattr(fan_out, "BATCH", 15)
    market.shoppers(100)
    blast = dialling.launched()
    seen: list[int] = []
    for _ in range(3):
        assert market.fan_out(blast)[-1] in (Step.FULL, Step.IDLE)
        wait = dialling.waiting(blast)
        assert len(wait) <= 40
        seen += wait
        dialling.end(blast, Outcome.NO_ANSWER, again_at=NOON + DAY_MS)
    assert sorted(seen) == list(range(1, 101))


async def test_a_consent_to_texts_is_none_to_calls_and_hours_defer(
    market: Market, dialling: Dialling
) -> None:
    (number, *_) = market.shoppers(3)
    market.say(number, "in:1|out:2")
    market.shoppers(2, first=100, consent="in:1|")
    market.now = NOON + 12 * HOUR_MS  # midnight in Kyiv
    blast = dialling.launched(expires_at=NOON + 3 * DAY_MS)
    market.fan_out(blast)
    assert dialling.waiting(blast) == []
    found = market.results(blast)
    assert (found.deferred, found.denied) == ({"hours": 2}, {"withdrawn": 1, "no_consent": 2})

    market.now += 10 * HOUR_MS
    market.fan_out(blast)
    assert dialling.waiting(blast) == [2, 3]


async def test_two_processes_that_draw_the_deferred_anew_let_them_wait_once(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(3)
    market.now = NOON + 12 * HOUR_MS
    blast = dialling.launched(expires_at=NOON + 3 * DAY_MS)
    market.fan_out(blast)
    market.now += 10 * HOUR_MS
    looks = market.desk.looks

    class Late:
        done = False

        def look(self, *asked: Any) -> object:
            if not Late.done:
                Late.done = True
                market.fan_out(blast, most=1)
            return looks.look(*asked)

    market.fan_out(blast, replace(market.desk, looks=Late()))  # type: ignore[arg-type]
    assert dialling.waiting(blast) == [1, 2, 3]
    assert market.again(blast).texted == 3


async def test_a_crash_before_the_commit_leaves_nobody_and_the_next_step_everybody(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(4)
    blast = dialling.launched()
    engine = market.house.engine

    def crash(_: object) -> None:
        event.remove(engine, "commit", crash)
        raise OSError("killed")

    event.listen(engine, "commit", crash)
    with pytest.raises(OSError, match="killed"):
        market.fan_out(blast)
    assert (dialling.waiting(blast), market.states(blast)) == ([], {})
    market.fan_out(blast)
    assert dialling.waiting(blast) == [1, 2, 3, 4]


async def test_a_number_that_a_call_has_found_bad_is_not_called_for_half_a_year(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(3)
    first = dialling.launched()
    market.fan_out(first)
    dialling.end(first, Outcome.BAD_NUMBER, 2)
    market.now += DAY_MS
    second = dialling.launched(audience=1)
    market.fan_out(second)
    assert dialling.waiting(second) == [1, 3]
    assert market.results(second).denied == {"bad_number": 1}
    assert call_list.bad_numbers(market.house.engine, [1, 2, 3], NOON + 181 * DAY_MS) == frozenset()


async def test_calls_that_fail_pause_it_and_people_who_are_busy_do_not(
    market: Market, dialling: Dialling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_call, "AHEAD", 60)
    market.shoppers(90)
    blast = dialling.launched(error_share=0.1)
    market.fan_out(blast)
    dialling.end(blast, Outcome.BUSY, *range(1, 31))
    assert market.fan_out(blast)[-1] in (Step.FULL, Step.IDLE)
    dialling.end(blast, Outcome.BAD_NUMBER, *range(31, 41))
    dialling.end(blast, Outcome.FAILED, *range(41, 52))
    assert market.fan_out(blast) == [Step.OVER]
    stopped = market.again(blast)
    assert (stopped.state, stopped.why) == (State.PAUSED, "too many failed")

    lifecycle.resume(market.desk, stopped, market.now)
    assert market.fan_out(blast)[-1] is Step.IDLE


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED])
async def test_whoever_waits_ends_with_the_blast_and_keeps_what_came_of_the_last_call(
    market: Market, dialling: Dialling, state: State
) -> None:
    market.shoppers(4)
    blast = dialling.launched()
    market.fan_out(blast)
    dialling.end(blast, Outcome.BUSY, 1, again_at=NOON + HOUR_MS)
    dialling.begin(blast, 2)
    if state is State.CANCELLED:
        lifecycle.cancel(market.desk, market.again(blast), market.now)
    else:
        market.now = blast.expires_at
    running = Running(market.desk, FanOut(market.desk), stop=lambda: False)
    running.sweep()
    running.sweep()
    assert market.again(blast).state is state
    assert dialling.outcomes(blast) == Counter({"busy": 1, state.value: 2})
    dialling.end(blast, Outcome.HEARD, 2)  # the call that was on its way ends as it does
    running.sweep()
    assert dialling.outcomes(blast)["heard"] == 1


async def test_whoever_was_erased_while_deferred_is_neither_called_nor_in_the_way(
    market: Market, dialling: Dialling
) -> None:
    (gone, _) = market.shoppers(2)
    market.now = NOON + 12 * HOUR_MS
    blast = dialling.launched(expires_at=NOON + 3 * DAY_MS)
    market.fan_out(blast)
    with database.writing(market.house.engine) as connection:
        erasures.shred(connection, market.house.vault.index(gone), [market.firm], laid_aside=False)
    market.now += 10 * HOUR_MS
    market.fan_out(blast)
    assert dialling.waiting(blast) == [2]
    assert market.results(blast).denied == {"erased": 1}
