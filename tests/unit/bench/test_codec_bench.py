"""What `make bench-codec` sets side by side is the same work."""

from __future__ import annotations

import pytest

from smpp.protocol.pdus import Malformed
from tests.bench.codec import Line, bench, lines


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.name)
def test_both_sides_read_or_build_the_same(line: Line) -> None:
    ours, floor = line.ours(), line.floor()
    assert not isinstance(ours, Malformed)
    if isinstance(floor, bytes):
        assert floor == ours


def test_an_activation_is_four_of_them() -> None:
    told = bench(5, 1)
    assert len([line for line in lines() if line.of_activation]) == 4
    assert told["pdus"].keys() == {line.name for line in lines()}
