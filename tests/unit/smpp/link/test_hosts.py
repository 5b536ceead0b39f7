"""In which order a bind tries its hosts."""

from __future__ import annotations

import pytest

from config.link_settings import Address
from smpp.link.hosts import Hosts

A, B, C = (Address(name, 2775) for name in "abc")


@pytest.mark.parametrize(
    ("first", "lost", "order"),
    [
        pytest.param(0, (), (A, B, C), id="as the settings have it"),
        pytest.param(1, (), (B, C, A), id="from its own first one"),
        pytest.param(5, (), (C, A, B), id="more binds than hosts"),
        pytest.param(0, (A,), (B, C, A), id="its first is gone"),
        pytest.param(0, (A, B), (A, C, B), id="back to the first when its stand-in is gone"),
        pytest.param(1, (B, C), (B, A, C), id="so, too, from its own first one"),
    ],
)
def test_the_order(first: int, lost: tuple[Address, ...], order: tuple[Address, ...]) -> None:
    hosts = Hosts((A, B, C), first)
    for address in lost:
        hosts.lost(address)
    assert hosts.round() == order


def test_a_single_one_is_tried_again() -> None:
    hosts = Hosts((A,))
    hosts.lost(A)
    assert hosts.round() == (A,)
