"""A pace learned from refusals, against SMSCs that limit in the ways that they do; by the clock of the
test.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

import pytest

from smpp.sending.learned_pace import LEAST, LearnedPace

Takes = Callable[[float], bool]


def spaced(per_s: float) -> Takes:
    """One each so many milliseconds, evenly."""
    taken = [-1.0]

    def takes(now: float) -> bool:
        if now - taken[0] < 1 / per_s:
            return False
        taken[0] = now
        return True

    return takes


def by_whole_seconds(per_s: int) -> Takes:
    """So many in each second of its clock."""
    counts: dict[int, int] = {}

    def takes(now: float) -> bool:
        counts[int(now)] = counts.get(int(now), 0) + 1
        return counts[int(now)] <= per_s

    return takes


def stands_still(first_s: float, last_s: float) -> Takes:
    """It refuses everything for a while, and takes anything else."""
    return lambda now: not first_s <= now - 100 < last_s


class Sent(NamedTuple):
    seconds: float
    refused: int


def sent(takes: Takes, texts: int, answers_after_s: float, most_per_s: float = 2000.0) -> Sent:
    """Submit so many by the pace that is learned; a timer wakes a millisecond late."""
    pace, now, last = LearnedPace(), 100.0, 0.0
    left, accepted, refused = texts, 0, 0
    flying: list[tuple[float, float, bool]] = []
    while accepted < texts and now < 400:
        while flying and flying[0][0] <= now:
            at, sent_at, ok = heapq.heappop(flying)
            if ok:
                pace.on_accepted(at)
                accepted += 1
            else:
                pace.on_refused(sent_at, at)
                refused, left = refused + 1, left + 1
        room = left and len(flying) < 100 and now - last >= 1 / most_per_s
        if room and (not pace.known or pace.free(now) > 0):
            pace.sent(now)
            left, last = left - 1, now
            heapq.heappush(flying, (now + answers_after_s, now, takes(now)))
            continue
        events = [flying[0][0]] if flying else []
        if left and len(flying) < 100:
            events.append(max(now + pace.wait_s(now), last + 1 / most_per_s) + 0.001)
        now = max(now + 1e-6, min(events, default=now))
    return Sent(now - 100, refused)


@pytest.mark.parametrize("answers_after_s", [0.002, 0.1, 0.5])
@pytest.mark.parametrize(
    ("takes", "texts", "within_s"),
    [
        pytest.param(spaced, 40, 6.5, id="spaced"),
        pytest.param(spaced, 400, 52.0, id="spaced, for long"),
        pytest.param(by_whole_seconds, 40, 6.5, id="by whole seconds"),
        pytest.param(by_whole_seconds, 400, 52.0, id="by whole seconds, for long"),
    ],
)
def test_a_limit_of_ten_a_second_is_met_and_nearly_used_up(
    takes: Callable[[int], Takes], texts: int, within_s: float, answers_after_s: float
) -> None:
    found = sent(takes(10), texts, answers_after_s)
    assert found.seconds < within_s
    assert found.refused < 100 + texts // 2


def test_a_fast_limit_is_met_too() -> None:
    assert sent(spaced(500), 10_000, 0.002).seconds < 45  # timers that are late cost it a part


def test_who_stood_still_for_a_while_has_its_speed_back_soon() -> None:
    found = sent(stands_still(2, 7), 10_000, 0.01, most_per_s=500)
    assert (found.seconds < 40, found.refused < 200) == (True, True)


def test_refusals_of_what_left_together_count_once() -> None:
    pace = LearnedPace()
    for n in range(40):
        pace.sent(10 + n / 1000)
    pace.on_refused(10.001, 10.05)
    lowered = pace.rate
    for n in range(2, 40):
        pace.on_refused(10 + n / 1000, 10.05)
    assert (pace.rate, pace.known) == (lowered, True)


def test_it_never_ends() -> None:
    pace = LearnedPace()
    for n in range(100):
        pace.sent(10.0 + n)
        pace.on_refused(10.0 + n, 10.5 + n)
    assert pace.rate >= LEAST
    assert pace.wait_s(110.0) <= 1 / LEAST


def test_a_link_that_rests_forgets_nothing() -> None:
    pace = LearnedPace()
    pace.sent(10.0)
    pace.on_refused(10.0, 10.1)
    pace.on_accepted(10.2)
    before = pace.rate
    pace.on_accepted(5000.0)
    assert pace.rate < before * 2
