"""The send window: every token comes out exactly once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smpp.protocol.wire import MAX_SEQUENCE
from smpp.session.window import Window


def test_an_answer_in_any_order_closes_its_own_request() -> None:
    window = Window(3, 60)
    numbers = [window.open(token, 0.0) for token in "abc"]
    assert window.free == 0
    assert [window.close(number) for number in reversed(numbers)] == [("c", 0.0), ("b", 0.0), ("a", 0.0)]
    assert window.empty


def test_a_second_answer_finds_nothing() -> None:
    window = Window(3, 60)
    number = window.open("a", 0.0)
    window.close(number)
    assert window.close(number) is None


def test_only_the_late_ones_expire() -> None:
    window = Window(3, 60)
    for now, token in enumerate("abc"):
        window.open(token, float(now))
    assert window.expire(61.0) == ["a", "b"]
    assert window.expire(61.0) == []
    assert window.clear() == ["c"]


def test_sequence_numbers_begin_again_after_the_last() -> None:
    window = Window(3, 60)
    window._sequence = MAX_SEQUENCE - 1
    assert [window.next_sequence(), window.next_sequence()] == [MAX_SEQUENCE, 1]


@given(st.lists(st.tuples(st.sampled_from(["open", "close", "expire"]), st.integers(0, 40)), max_size=60))
def test_no_token_is_lost_or_told_twice(steps: list[tuple[str, int]]) -> None:
    window = Window(10, 5)
    entered: list[int] = []
    left: list[object] = []
    for now, (step, number) in enumerate(steps):
        if step == "open" and window.free:
            entered.append(window.open(len(entered), float(now)))
        elif step == "close" and (entry := window.close(number)) is not None:
            left.append(entry[0])
        elif step == "expire":
            left += window.expire(float(now))
        assert window.free >= 0
    left += window.clear()
    assert sorted(map(int, map(str, left))) == list(range(len(entered)))
