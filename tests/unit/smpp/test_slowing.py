"""The limit of segments on their way halves when the SMSC throttles and grows back."""

from __future__ import annotations

from smpp.slowing import Slowing


def test_throttling_halves_what_is_on_its_way() -> None:
    slowing = Slowing(100, 1.0)
    slowing.on_throttled(80, now=0.0)
    assert slowing.limit == 40


def test_throttling_answers_of_one_round_count_once() -> None:
    slowing = Slowing(100, 1.0)
    for n in range(50):
        slowing.on_throttled(100 - n, now=0.01 * n)
    assert slowing.limit == 50
    slowing.on_throttled(50, now=2.0)
    assert slowing.limit == 25


def test_never_below_one() -> None:
    slowing = Slowing(10, 1.0)
    for n in range(10):
        slowing.on_throttled(1, now=2.0 * n)
    assert slowing.limit == 1


def test_each_round_of_accepted_ones_raises_by_one_up_to_the_window() -> None:
    slowing = Slowing(8, 1.0)
    slowing.on_throttled(8, now=0.0)
    for expected in (5, 6, 7, 8):
        for _ in range(slowing.limit + 1):
            slowing.on_accepted()
        assert slowing.limit == expected
    slowing.on_accepted()
    assert slowing.limit == 8
