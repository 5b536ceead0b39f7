"""The guard of the live feed: nothing that looks like a number or a code gets through."""

from __future__ import annotations

import pytest

from gateway.store.telemetry.feed import event, masked


@pytest.mark.parametrize(
    ("label", "value", "shown"),
    [
        ("a masked number stays", "•••67", "•••67"),
        ("a number", "+380671234567", "+••••"),
        ("a number in groups", "+7 900 000-00-01", "+••••"),
        ("a digits code", "1234-567-890-123", "••••"),
        ("a code with an en dash", "1234\u2013567\u2013890", "••••"),
        ("a letters code", "CAP7-QX42", "code ••••"),
        ("a letters code in a sentence", "took XK4M7PTA now", "took code •••• now"),
        ("a word in capitals", "ACKNOWLEDGED", "ACKNOWLEDGED"),
        ("a short number", "4040", "4040"),
        ("a plain count", 250, 250),
        ("a number as an integer", 380671234567, "••••"),
    ],
)
def test_masks(label: str, value: str | int, shown: str | int) -> None:
    assert shown == masked(value), label


def test_every_field_of_an_event_is_guarded() -> None:
    assert event("credited", who="380671234567", points=10).fields == {"who": "••••", "points": 10}
