"""One text at a time to a shopper; replies first among those that wait."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sms.priority import IN_ORDER, Priority
from smpp.sending.turns import Order


class Text(NamedTuple):
    name: str
    priority: Priority = Priority.REPLY


def test_the_next_comes_out_when_the_first_has_ended() -> None:
    order: Order[Text] = Order()
    assert order.enter("1", Text("a"))
    assert not order.enter("1", Text("b"))
    assert order.enter("2", Text("c"))
    assert len(order) == 1
    assert order.leave("1") == Text("b")
    assert not order.enter("1", Text("d"))  # b is on its way now
    assert order.leave("2") is None
    assert order.leave("1") == Text("d")
    assert order.leave("1") is None
    assert order.enter("1", Text("e"))


def test_a_reply_passes_marketing_that_waits() -> None:
    order: Order[Text] = Order()
    order.enter("1", Text("first"))
    for text in (Text("b1", Priority.BULK), Text("s", Priority.SERVICE), Text("r1"), Text("r2")):
        assert not order.enter("1", text)
    assert [order.leave("1") for _ in range(5)] == [
        Text("r1"),
        Text("r2"),
        Text("s", Priority.SERVICE),
        Text("b1", Priority.BULK),
        None,
    ]


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from(IN_ORDER)), max_size=30), st.data())
def test_never_two_at_once_and_none_is_lost(texts: list[tuple[str, Priority]], data: st.DataObject) -> None:
    order: Order[Text] = Order()
    on_the_way: dict[str, int] = {}
    seen = 0
    for number, priority in texts:
        if order.enter(number, Text(number, priority)):
            assert on_the_way.get(number, 0) == 0
            on_the_way[number] = 1
            seen += 1
        if data.draw(st.booleans()) and on_the_way.get(number):
            following = order.leave(number)
            seen += following is not None
            on_the_way[number] = int(following is not None)
    for number, busy in on_the_way.items():
        while busy:
            following = order.leave(number)
            seen += following is not None
            busy = following is not None  # noqa: PLW2901 - goes on until nobody waits
    assert (seen, len(order)) == (len(texts), 0)
