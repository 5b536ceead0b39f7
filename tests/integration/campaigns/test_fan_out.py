"""Fan-out: everybody once, a bounded number ahead, and whatever runs twice or crashes changes nothing."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone
from sqlalchemy import update

from campaigns.eligibility import Looks
from campaigns.fan_out import by_text, fan_out
from campaigns.fan_out.fan_out import Step
from campaigns.lifecycle import lifecycle
from gateway.domain.offers.blast import State
from gateway.domain.sms.priority import Priority
from gateway.store.offers.redis_queue import Offers
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.texts.departures import Departures, Leave
from gateway.store.texts.sendqueue import open_answer
from gateway.usecases.operations.rebuild import rebuild_firm
from tests.integration.campaigns.market import DAY_MS, NOON, Market, outcome
from tests.integration.house import LINK

HOUR_MS = 3_600_000


async def test_everybody_gets_it_once_in_their_language(market: Market) -> None:
    numbers = market.shoppers(3, language="uk") + market.shoppers(2, first=100, language="kk")
    blast = market.launched(fallback="en")
    market.fan_out(blast)

    texts = dict(market.waiting())
    assert sorted(numbers) == sorted(texts)
    assert texts[numbers[0]] == "Вітаємо! 10 балів у Acme. Відмова: СТОП"
    assert texts[numbers[4]] == "Hello! 10 points at Acme. STOP to refuse"
    assert market.fan_out(blast) == [Step.IDLE]
    assert len(market.waiting()) == 5

    assert sorted(await market.send_all()) == sorted(numbers)
    assert market.fan_out(blast) == [Step.OVER]
    assert market.again(blast).state is State.FINISHED
    assert market.results(blast).sent == 5


async def test_only_a_bounded_number_waits_in_redis(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_text, "AHEAD", 40)
    monkeypatch.setattr(fan_out, "BATCH", 15)
    numbers = market.shoppers(100)
    blast = market.launched()
    seen: list[str] = []
    for _ in range(3):
        assert market.fan_out(blast)[-1] in (Step.FULL, Step.IDLE)
        assert len(market.waiting()) <= 40
        seen += await market.send_all()
    assert sorted(seen) == sorted(numbers)


class Cut(Offers):
    """A Redis that goes away before a batch is put, or right after it."""

    def __init__(self, market: Market, *, after: bool) -> None:
        super().__init__(market.house.redis)
        self._after = after

    def put(self, *what: object) -> bool:
        if self._after:
            super().put(*what)  # type: ignore[arg-type]
        raise RedisGone


@pytest.mark.parametrize("after", [False, True], ids=["before it is queued", "after it was queued"])
async def test_a_crash_between_sql_and_redis_is_repaired(
    market: Market, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    numbers = market.shoppers(7)
    blast = market.launched()
    whole = type(market.desk).offers
    monkeypatch.setattr(type(market.desk), "offers", property(lambda _: Cut(market, after=after)))
    with pytest.raises(RedisGone):
        market.fan_out(blast)
    monkeypatch.setattr(type(market.desk), "offers", whole)

    market.fan_out(blast)
    assert sorted(number for number, _ in market.waiting()) == sorted(numbers)


async def test_texts_that_left_before_the_repair_are_not_queued_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.shoppers(4)
    blast = market.launched()
    whole = type(market.desk).offers
    monkeypatch.setattr(type(market.desk), "offers", property(lambda _: Cut(market, after=True)))
    with pytest.raises(RedisGone):
        market.fan_out(blast)
    monkeypatch.setattr(type(market.desk), "offers", whole)
    assert len(await market.send_all()) == 4

    market.fan_out(blast)
    assert market.waiting() == []
    assert market.results(blast).sent == 4


async def test_two_processes_on_one_batch_write_it_once(market: Market) -> None:
    """The second looks at the audience before the first has written, and writes after it."""
    numbers = market.shoppers(6)
    blast = market.launched()
    inner: Looks = market.desk.looks

    class Late:
        done = False

        def look(self, *asked: Any) -> object:
            if not Late.done:
                Late.done = True
                market.fan_out(blast, most=1)
            return inner.look(*asked)

    market.fan_out(blast, replace(market.desk, looks=Late()))  # type: ignore[arg-type]
    assert Counter(number for number, _ in market.waiting()) == Counter(numbers)


async def test_what_may_wait_waits_and_what_may_not_is_told(market: Market) -> None:
    yes = market.shoppers(2)
    market.shoppers(3, first=100, consent="out:1")
    market.shoppers(1, first=200, consent="")
    market.now = NOON + 12 * HOUR_MS  # midnight in Kyiv
    blast = market.launched(expires_at=NOON + 3 * DAY_MS)
    market.fan_out(blast)
    assert market.waiting() == []
    found = market.results(blast)
    assert (found.deferred, found.denied) == ({"hours": 2}, {"withdrawn": 3, "no_consent": 1})

    market.now += 10 * HOUR_MS
    market.fan_out(blast)
    assert sorted(number for number, _ in market.waiting()) == yes


async def test_put_off_by_the_gate_it_comes_again_at_its_time_under_another_id(market: Market) -> None:
    market.shoppers(1)
    blast = market.launched()
    market.fan_out(blast)
    (first,) = await market.take()
    until = market.now + HOUR_MS
    await market.send_all("deferred", error="cap_day", until=until)
    assert market.fan_out(blast) == [Step.IDLE]
    assert market.results(blast).deferred == {"cap_day": 1}

    market.now = until
    market.fan_out(blast)
    (second,) = await market.take()
    assert (second.shopper, second.blast) == (first.shopper, first.blast)
    assert second.message_id != first.message_id


async def test_an_outcome_that_is_settled_twice_does_not_queue_twice(market: Market) -> None:
    market.shoppers(1)
    blast = market.launched()
    market.fan_out(blast)
    taken = await market.take()
    await market.send_all("deferred", error="cap_day", until=market.now)
    lines = market.house.redis.xrange(keys.results(market.firm))
    assert lines == []
    market.fan_out(blast)
    assert len(market.waiting()) == 1
    line = f"{taken[0].message_id}|deferred;{market.now};|1|cap_day|5|{LINK}|"
    market.house.redis.xadd(keys.results(market.firm), {"j": line})  # as after a crash between SQL and Redis
    market.house.drain()
    market.fan_out(blast)
    assert len(market.waiting()) == 1


@pytest.mark.parametrize("state", ["unknown", "failed", "expired"])
async def test_what_may_have_left_or_has_failed_is_never_sent_again(market: Market, state: str) -> None:
    market.shoppers(2)
    blast = market.launched()
    market.fan_out(blast)
    await market.send_all(state, error="no response")
    assert market.fan_out(blast) == [Step.OVER]
    assert market.waiting() == []
    assert market.states(blast) == {"texted": 2}


async def test_a_pause_puts_off_what_waits_and_a_resume_goes_on(market: Market) -> None:
    numbers = market.shoppers(5)
    blast = market.launched()
    market.fan_out(blast)
    paused = lifecycle.pause(market.desk, market.again(blast), market.now)
    assert market.house.redis.get(keys.blast(market.firm, str(blast.id))) == b"paused"
    await market.send_all("deferred", error="paused", until=market.now)  # as the gate has it
    assert market.fan_out(blast) == [Step.OVER]
    assert market.waiting() == []

    lifecycle.resume(market.desk, paused, market.now)
    market.fan_out(blast)
    assert sorted(number for number, _ in market.waiting()) == numbers


async def test_too_many_failures_pause_it_until_its_marketer_has_looked(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "BATCH", 30)
    monkeypatch.setattr(by_text, "AHEAD", 30)
    market.shoppers(90)
    blast = market.launched(error_share=0.1)
    market.fan_out(blast)
    await market.send_all("failed", error="0xb")
    assert market.fan_out(blast) == [Step.OVER]
    stopped = market.again(blast)
    assert (stopped.state, stopped.why) == (State.PAUSED, "too many failed")
    assert market.results(blast).failed == {"0xb": 30}

    lifecycle.resume(market.desk, stopped, market.now)
    assert market.fan_out(blast)[-1] is Step.FULL
    assert len(market.waiting()) == 30


async def test_the_holdout_gets_nothing_and_stays_the_same(market: Market) -> None:
    market.shoppers(400)
    blast = market.launched(holdout=0.25)
    market.fan_out(blast)
    held = market.results(blast).held_out
    assert 60 < held < 140
    assert len(market.waiting()) == 400 - held


async def test_spread_over_time_only_a_part_is_released(market: Market) -> None:
    market.shoppers(100)
    blast = market.launched(spread_s=1000)
    market.fan_out(blast)
    assert len(market.waiting()) == 1
    market.now += 500_000
    market.fan_out(blast)
    assert len(market.waiting()) == 51


async def test_of_a_queue_that_was_lost_what_was_noted_as_leaving_is_unknown_and_the_rest_is_put_again(
    market: Market,
) -> None:
    market.shoppers(3)
    blast = market.launched()
    market.fan_out(blast)
    house = market.house
    taken = house.rows("message", "id")[0][0]
    assert await Departures(house.engine).begin([taken]) == {taken: Leave.NOW}
    house.redis.flushall()
    rebuild_firm(
        *(market.firm, house.engine, house.redis, house.desks(), house.deployment, "one"), foreign=False
    )
    market.fan_out(blast)
    assert len(market.waiting()) == 2
    assert market.results(blast).unknown == 1


def test_processes_at_once_write_each_batch_once(market: Market) -> None:
    """SQLite lets one write at a time; on PostgreSQL several are really under way together."""
    numbers = market.shoppers(120)
    blast = market.launched()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(market.fan_out, blast) for _ in range(4)]:
            done.result()
    assert Counter(number for number, _ in market.waiting()) == Counter(numbers)
    assert market.states(blast) == {"texted": 120}


@pytest.mark.parametrize(("down", "up"), [("38050", "38067"), ("38067", "38050")])
async def test_a_link_that_is_down_stops_no_blast_for_the_others(
    market: Market, monkeypatch: pytest.MonkeyPatch, down: str, up: str
) -> None:
    monkeypatch.setattr("campaigns.fan_out.by_text.AHEAD", 5)
    monkeypatch.setattr("campaigns.fan_out.fan_out.BATCH", 10)
    market.desk = replace(
        market.desk, link=lambda n: "down" if n.startswith(down) else LINK, links=(LINK, "down")
    )
    late = market.shoppers(30, region=down)
    reached = market.shoppers(12, region=up)
    blast = market.launched()
    sent: list[str] = []
    for _ in range(12):
        market.fan_out(blast)
        sent += await market.send_all()
    assert sorted(sent) == sorted(reached)
    assert market.house.redis.xlen(keys.send(market.firm, "down", Priority.BULK)) == 5
    assert market.results(blast).deferred == {"link": 25}

    market.desk = replace(market.desk, links=("down", LINK))  # settings were changed; and the link is back
    queue = market.house.send_queue("down")
    for _ in range(12):
        market.fan_out(blast)
        taken = await queue.take(market.firm, 100)
        sent += [open_answer(market.house.vault, w.sealed)[0] for w in taken]
        await queue.file([outcome(w, "accepted") for w in taken])
        market.house.drain()
    assert sorted(sent) == sorted(reached + late)
    assert market.again(blast).state is State.FINISHED


async def test_a_number_that_cannot_be_opened_is_denied_and_the_others_are_written_to(market: Market) -> None:
    numbers = market.shoppers(5)
    spoil(market, numbers[2])
    blast = market.launched()
    market.fan_out(blast)
    assert sorted(number for number, _ in market.waiting()) == [*numbers[:2], *numbers[3:]]
    assert market.results(blast).denied == {"seal broken": 1}


def spoil(market: Market, number: str) -> None:
    """As of a row that somebody has overwritten."""
    s = schema.shopper
    with database.writing(market.house.engine) as connection:
        connection.execute(
            update(s).where(s.c.key == market.house.vault.index(number)).values(number=b"broken" * 8)
        )
