"""Segments a second, and the waits between attempts to connect; no clock of the machine's."""

from __future__ import annotations

import pytest

from smpp.backoff import Backoff
from smpp.pace import TokenBucket


@pytest.mark.parametrize("rate", [1.0, 5.0, 40.0, 1000.0])
def test_over_ten_seconds_the_rate_is_kept(rate: float) -> None:
    bucket = TokenBucket(rate, 0.0)
    taken, now = 0, 0.0
    while now < 10.0:
        if bucket.take(now):
            taken += 1
        else:
            now += bucket.wait_s(now) + 1e-6
    assert rate * 10 - 1 <= taken <= rate * 10 * 1.01 + 2


def test_rest_earns_a_tenth_of_a_second_at_most() -> None:
    bucket = TokenBucket(100.0, 0.0)
    assert bucket.available(3600.0) == 10


def test_the_wait_ends_with_a_token() -> None:
    bucket = TokenBucket(4.0, 0.0)
    assert bucket.take(0.0)
    assert not bucket.take(0.0)
    assert bucket.wait_s(0.0) == 0.25
    assert bucket.take(0.25)


def test_without_a_limit_nothing_waits() -> None:
    bucket = TokenBucket(0.0, 0.0)
    assert all(bucket.take(0.0) for _ in range(10_000))
    assert not bucket.limited
    assert bucket.wait_s(0.0) == 0.0


def test_attempts_grow_rare_up_to_the_cap_and_eager_again() -> None:
    backoff = Backoff(cap_s=30)
    assert [backoff.next_s(0.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next_s(1.0) == 0.25


def test_a_night_of_attempts_does_not_overflow() -> None:
    backoff = Backoff(cap_s=30)
    for _ in range(5000):
        assert backoff.next_s(0.5) <= 30
