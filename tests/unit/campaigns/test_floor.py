"""Counts of a whole and its parts: whoever adds and subtracts finds nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.floor import LEAST, parts, tens, told


@given(st.lists(st.integers(0, 60), min_size=1, max_size=7))
def test_no_difference_leads_to_a_part_that_is_hidden(counts: list[int]) -> None:
    """What is left of the whole, which is told, leaves ten people at least open."""
    shown = parts(dict(enumerate(counts)))
    left = sum(counts) - sum(n for n in shown.values() if isinstance(n, int))
    some_hidden = any(0 < n < LEAST for n in counts)
    whole_is_told = told(sum(counts)) == sum(counts)
    assert not some_hidden or not whole_is_told or left >= LEAST
    assert all(shown[at] == n or isinstance(shown[at], str) for at, n in enumerate(counts))


@given(st.integers(0, 10_000))
def test_tens_are_never_fewer(count: int) -> None:
    assert count <= tens(count) < count + LEAST
