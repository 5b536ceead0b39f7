"""The simulated operator's insistence, with time as an argument."""

from __future__ import annotations

import pytest

from smpp.simulator.deliveries import Deliveries, RetryRule, Verdict

RULE = RetryRule(response_timeout_s=10, first_backoff_s=1, max_backoff_s=4, validity_s=100)


def queue(*keys: str, capacity: int = 10) -> Deliveries:
    deliveries = Deliveries(rule=RULE, capacity=capacity)
    for key in keys:
        deliveries.add(key, 0.0)
    return deliveries


def test_goes_out_in_order_and_no_more_than_there_is_room() -> None:
    deliveries = queue("a", "b", "c")
    assert deliveries.take(0.0, 2) == ["a", "b"]
    assert deliveries.take(0.0, 5) == ["c"]
    assert deliveries.take(0.0, 5) == []


@pytest.mark.parametrize(
    ("label", "status", "verdict", "left"),
    [
        ("taken", 0x00, Verdict.ACKNOWLEDGED, 0),
        ("RSYSERR comes again", 0x08, Verdict.RETRYING, 1),
        ("RMSGQFUL comes again", 0x14, Verdict.RETRYING, 1),
        ("RTHROTTLED comes again", 0x58, Verdict.RETRYING, 1),
        ("RX_T_APPN comes again", 0x64, Verdict.RETRYING, 1),
        ("RX_P_APPN is for good", 0x65, Verdict.REFUSED, 0),
        ("RINVDSTADR is for good", 0x0B, Verdict.REFUSED, 0),
    ],
)
def test_what_an_answer_means(label: str, status: int, verdict: Verdict, left: int) -> None:
    deliveries = queue("a")
    deliveries.take(0.0, 1)
    assert verdict == deliveries.answered("a", status, 1.0), label
    assert left == len(deliveries), label


def test_backs_off_further_each_time_up_to_the_cap() -> None:
    deliveries = queue("a")
    now, waits = 0.0, []
    for _ in range(5):
        assert deliveries.take(now, 1) == ["a"]
        deliveries.answered("a", 0x64, now)
        at = deliveries.next_at()
        assert at is not None
        assert deliveries.take(at - 0.01, 1) == []
        waits.append(at - now)
        now = at
    assert waits == [1, 2, 4, 4, 4]


def test_no_answer_sends_it_again_and_the_late_answer_still_counts() -> None:
    deliveries = queue("a")
    deliveries.take(0.0, 1)
    assert deliveries.next_at() == 10.0
    assert deliveries.overdue(9.9) == []
    assert deliveries.overdue(10.0) == [("a", Verdict.RETRYING)]
    assert deliveries.take(10.0, 1) == ["a"]
    assert deliveries.attempts("a") == 2
    assert deliveries.answered("a", 0, 11.0) == Verdict.ACKNOWLEDGED


def test_a_lost_session_makes_its_deliveries_due_at_once() -> None:
    deliveries = queue("a", "b")
    deliveries.take(0.0, 2)
    deliveries.answered("b", 0, 1.0)
    assert deliveries.lost(["a", "b"], 2.0) == [("a", Verdict.RETRYING)]
    assert deliveries.take(2.0, 5) == ["a"]


def test_an_answer_to_nothing_in_flight_changes_nothing() -> None:
    deliveries = queue("a")
    assert deliveries.answered("a", 0, 0.0) == Verdict.UNKNOWN
    assert deliveries.answered("z", 0, 0.0) == Verdict.UNKNOWN
    assert deliveries.take(0.0, 1) == ["a"]


def test_gives_up_after_the_validity() -> None:
    deliveries = queue("waits", "sent")
    deliveries.take(99.0, 0)
    assert deliveries.overdue(100.0) == [("waits", Verdict.EXPIRED), ("sent", Verdict.EXPIRED)]
    assert len(deliveries) == 0
    assert deliveries.next_at() is None


def test_a_delayed_one_waits_its_time() -> None:
    deliveries = queue()
    deliveries.add("receipt", 0.0, delay_s=0.5)
    assert deliveries.take(0.4, 1) == []
    assert deliveries.take(0.5, 1) == ["receipt"]


def test_has_a_bound() -> None:
    deliveries = queue("a", "b", capacity=3)
    assert deliveries.has_room(1)
    assert not deliveries.has_room(2)
