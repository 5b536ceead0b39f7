"""Turns between firms: equal shares while all ask, nothing saved up by whoever did not."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.domain.sharing.turns import Turns


@pytest.mark.parametrize("firms", [[1, 2], [2, 1]])
def test_one_unit_at_a_time_goes_round(firms: list[int]) -> None:
    turns = Turns()
    served = [next(iter(turns.share(firms, 1))) for _ in range(6)]
    assert (Counter(served), served[0] != served[1]) == ({1: 3, 2: 3}, True)


def test_many_units_are_shared_evenly() -> None:
    turns = Turns()
    assert turns.share([1, 2, 3], 7) == {1: 3, 2: 2, 3: 2}
    assert turns.share([1, 2, 3], 2) == {2: 1, 3: 1}
    assert turns.share([], 5) == {}
    assert turns.share([1], 0) == {}


def test_who_was_away_has_saved_nothing_up() -> None:
    turns = Turns()
    for _ in range(100):
        turns.share([1], 1)
    later = Counter[int]()
    for _ in range(10):
        later.update(turns.share([1, 2], 1))
    assert later == {1: 5, 2: 5}


def test_what_was_not_used_is_given_back_and_what_was_used_more_is_owed() -> None:
    turns = Turns()
    turns.share([1, 2], 2)
    turns.correct(1, 4)  # its text had five segments
    assert [next(iter(turns.share([1, 2], 1))) for _ in range(5)] == [2, 2, 2, 2, 1]
    assert turns.order([1, 2]) == [2, 1]
