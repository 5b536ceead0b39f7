"""The queue of offer calls in SQL: one dialer begins a call, and what came of it is filed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.consent.word import Channel, Consent
from gateway.domain.offers.offer_call import Next, Outcome
from gateway.domain.policy.basis import Basis
from gateway.store.calls import offer_outcomes, offer_queue
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.offer_queue import Begun, Due, NotCalled
from gateway.store.offers.blasts import Blast
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import NOON, Market

LATER = NOON + 60_000


@pytest.fixture
def blast(market: Market, dialling: Dialling) -> Blast:
    """Three people of it wait."""
    market.shoppers(3)
    made = dialling.launched()
    market.fan_out(made)
    return made


def due(market: Market, blast: Blast, now: int = NOON) -> list[Due]:
    return offer_queue.due(market.house.engine, blast.id, now, 10)


def begun(one: Due, name: str = "o1") -> Begun:
    basis = Basis(one.shopper, str(one.blast_id), Channel.CALL, Consent.GIVEN, 1, "ua", NOON)
    return Begun(name, one, "uk", basis)


def begin(
    market: Market, *calls: Begun, dialer: str = "here", not_called: tuple[NotCalled, ...] = ()
) -> set[str]:
    return offer_queue.begin(market.house.engine, dialer, calls, not_called, NOON)


def ended(one: Due, outcome: Outcome | None, then: Next, name: str = "o1") -> Ended:
    return Ended(name, one.blast_id, one.shopper_id, outcome, then, LATER, NOON, 16, "human", "1")


def people(market: Market) -> list[tuple[object, ...]]:
    return market.house.rows("offer_call", "state", "outcome", "reason", "attempts", "calls", "due_at")


WAITS = ("waiting", None, None, 0, 0, NOON)


def test_blasts_that_run_call_with_their_plan(market: Market, blast: Blast) -> None:
    (found,) = offer_queue.running(market.house.engine, NOON)
    assert (found.id, found.short_number, sorted(found.plan.spoken)) == (blast.id, "4040", ["en", "uk"])
    assert offer_queue.running(market.house.engine, blast.expires_at) == []


def test_a_call_is_begun_on_disk_with_its_record_and_contact(market: Market, blast: Blast) -> None:
    one, *others = due(market, blast)
    assert begin(market, begun(one)) == {"o1"}
    assert people(market) == [("calling", None, None, 0, 1, NOON), WAITS, WAITS]
    columns = ("id", "dialer", "begun_at", "ended_at", "outcome")
    assert market.house.rows("offer_call_record", *columns) == [("o1", "here", NOON, None, None)]
    assert market.house.rows("contact", "id", "channel", "state") == [("o1", "call", "calling")]
    assert due(market, blast) == others


@pytest.mark.parametrize(
    ("outcome", "then", "becomes"),
    [
        (Outcome.HEARD, Next(due_at=None), ("ended", "heard", None, 1, 1, NOON)),
        (Outcome.BUSY, Next(due_at=LATER), ("waiting", "busy", None, 1, 1, LATER)),
        (Outcome.CONGESTION, Next(due_at=LATER, counts=False), ("waiting", "congestion", None, 0, 1, LATER)),
    ],
)
def test_the_end_is_filed_once(
    market: Market, blast: Blast, outcome: Outcome, then: Next, becomes: tuple[object, ...]
) -> None:
    one, *_ = due(market, blast)
    begin(market, begun(one))
    end = ended(one, outcome, then)
    assert offer_outcomes.end(market.house.engine, [end, end]) == 1
    assert offer_outcomes.end(market.house.engine, [end._replace(outcome=Outcome.UNKNOWN)]) == 0
    assert people(market)[0] == becomes
    record = ("outcome", "cause", "answered_by", "keys", "answered_at", "ended_at")
    assert market.house.rows("offer_call_record", *record) == [(outcome.value, 16, "human", "1", NOON, LATER)]
    assert market.house.rows("contact", "state") == [(outcome.value,)]


def test_what_asterisk_was_not_asked_for_never_was(market: Market, blast: Blast) -> None:
    one, *_ = due(market, blast)
    begin(market, begun(one))
    assert offer_outcomes.end(market.house.engine, [ended(one, None, Next(due_at=None))]) == 1
    assert people(market)[0] == ("waiting", None, None, 0, 0, LATER)
    assert market.house.rows("offer_call_record", "id") == market.house.rows("contact", "id") == []


def test_who_is_not_called_waits_or_does_not(market: Market, blast: Blast) -> None:
    one, two, three = due(market, blast)
    begin(
        market,
        not_called=(
            NotCalled(one, None, "hours", LATER),
            NotCalled(two, Outcome.DENIED, "withdrawn"),
            NotCalled(three, Outcome.CANCELLED, "cancelled"),
        ),
    )
    assert people(market) == [
        ("waiting", None, "hours", 0, 0, LATER),
        ("ended", "denied", "withdrawn", 0, 0, NOON),
        ("ended", "cancelled", "cancelled", 0, 0, NOON),
    ]
    assert due(market, blast) == []
    assert [d.shopper_id for d in due(market, blast, LATER)] == [one.shopper_id]


def test_what_was_read_too_long_ago_is_not_begun(market: Market, blast: Blast) -> None:
    one, *_ = due(market, blast)
    begin(market, begun(one))
    offer_outcomes.end(market.house.engine, [ended(one, Outcome.BUSY, Next(due_at=LATER))])
    late = NotCalled(one, Outcome.DENIED, "withdrawn")
    assert begin(market, begun(one, "o2"), not_called=(late,)) == set()
    assert people(market)[0] == ("waiting", "busy", None, 1, 1, LATER)


def test_of_dialers_that_race_one_begins_each_call(market: Market, blast: Blast) -> None:
    market.shoppers(20, first=100)
    market.fan_out(blast)
    waiting = offer_queue.due(market.house.engine, blast.id, NOON, 100)

    def race(dialer: str) -> set[str]:
        calls = [begun(one, f"{dialer}{one.shopper_id}") for one in waiting]
        return {name for call in calls for name in begin(market, call, dialer=dialer)}

    with ThreadPoolExecutor(4) as pool:
        ours = list(pool.map(race, "abcd"))
    assert sum(map(len, ours)) == len(waiting)
    assert len({name[1:] for names in ours for name in names}) == len(waiting)
    assert len(market.house.rows("offer_call_record", "id")) == len(waiting)


def test_what_a_dead_dialer_left_is_unknown(market: Market, blast: Blast) -> None:
    one, two, _ = due(market, blast)
    begin(market, begun(one, "o1"), dialer="dead")
    begin(market, begun(two, "o2"), dialer="living")
    engine = market.house.engine
    assert sorted(offer_outcomes.dialers(engine)) == ["dead", "living"]
    assert offer_outcomes.recover(engine, "dead", LATER) == ["o1"]
    assert offer_outcomes.recover(engine, "dead", LATER) == []
    assert people(market)[:2] == [
        ("ended", "unknown", None, 1, 1, NOON),
        ("calling", None, None, 0, 1, NOON),
    ]
    # It was only thought to be dead, and tells what came of it: too late.
    assert offer_outcomes.end(engine, [ended(one, Outcome.BUSY, Next(due_at=LATER))]) == 0
    assert offer_outcomes.dialers(engine) == ["living"]
