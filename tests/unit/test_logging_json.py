"""Lines in JSON: whatever stands in them is told, and what an object hides stays hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from config.logging import _as_json


@dataclass(frozen=True, slots=True)
class Secretive:
    """Shows one of its fields."""

    shown: int
    number: str = field(repr=False)


def test_a_field_that_an_object_hides() -> None:
    told = _as_json({"event": "x", "what": Secretive(1, "380671234567")})
    assert "380671234567" not in told
    assert "shown=1" in told


@pytest.mark.parametrize(
    ("what", "value", "told"),
    [
        ("half a surrogate pair", "\ud83d", "\ud83d"),
        ("a number of over 64 bits", 1 << 80, 1 << 80),
        ("octets", b"\xff", "b'\\xff'"),
        ("a set", frozenset({1}), "frozenset({1})"),
        ("Cyrillic", "Код", "Код"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
def test_odd_values(what: str, value: object, told: object) -> None:
    assert json.loads(_as_json({"event": what, "value": value}))["value"] == told
