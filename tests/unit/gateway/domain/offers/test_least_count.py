"""Counts of people in tens: alike for the same people, and never telling of one person more."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.offers.least_count import FEWER, LEAST, Veil, told

KEYS = st.binary(min_size=16, max_size=32)


@given(KEYS, st.integers(0, 10_000), st.text(max_size=20))
def test_in_tens_and_less_than_ten_beside(key: bytes, count: int, people: str) -> None:
    shown = Veil(key).told(count, people)
    assert shown == Veil(key).told(count, people)
    if shown == FEWER:
        assert count < LEAST
    else:
        assert isinstance(shown, int)
        assert (shown % LEAST, abs(shown - count) < LEAST) == (0, True)


def test_a_difference_of_one_person_says_nothing_of_that_person() -> None:
    """Over many pairs of sets the difference is as often down as up, whether the person counts or not."""
    veil = Veil(bytes(range(16)))
    with_one, without = Counter[int](), Counter[int]()
    for n in range(4_000):
        count = 20 + n % 50
        before = veil.told(count, f"{n}")
        in_it, not_in_it = veil.told(count + 1, f"{n}/more"), veil.told(count, f"{n}")
        assert isinstance(before, int)
        assert isinstance(in_it, int)
        assert not_in_it == before
        with_one[in_it - before] += 1
        without[veil.told(count, f"{n}/other") - before] += 1  # type: ignore[operator]
    assert set(with_one) == {-10, 0, 10}
    assert abs(with_one[10] / 4_000 - without[10] / 4_000) < 0.1


def test_without_a_veil_tens_all_the_same() -> None:
    assert [told(count) for count in (0, 1, 9, 10, 29)] == [0, FEWER, FEWER, 10, 20]
