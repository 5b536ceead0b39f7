"""Aliases: lasting, without order, and safe against a slip of the tongue."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.alias import BODY, alias_of, counter_of

KEY = "5c" * 32


@given(st.integers(0, 10**BODY - 1), st.binary(min_size=32, max_size=32))
def test_round_trip(counter: int, key: bytes) -> None:
    alias = alias_of(counter, key.hex())

    assert (len(alias), alias.isdecimal()) == (9, True)
    assert counter == counter_of(alias, key.hex())


def test_said_in_groups() -> None:
    alias = alias_of(42, KEY)

    assert counter_of(f"{alias[:3]} {alias[3:6]} {alias[6:]}", KEY) == 42


@given(st.integers(0, 10**BODY - 1), st.integers(0, 8), st.integers(1, 9))
def test_every_wrong_digit_is_found(counter: int, at: int, shift: int) -> None:
    alias = alias_of(counter, KEY)
    wrong = alias[:at] + str((int(alias[at]) + shift) % 10) + alias[at + 1 :]

    assert counter_of(wrong, KEY) is None


@given(st.integers(0, 10**BODY - 1), st.integers(0, 7))
def test_every_swap_of_neighbours_is_found(counter: int, at: int) -> None:
    alias = alias_of(counter, KEY)
    swapped = alias[:at] + alias[at + 1] + alias[at] + alias[at + 2 :]

    assert (counter if swapped == alias else None) == counter_of(swapped, KEY)


def test_hundred_thousand_differ_and_show_no_order() -> None:
    aliases = [alias_of(counter, KEY) for counter in range(100_000)]

    rising = sum(a < b for a, b in itertools.pairwise(aliases))

    assert len(aliases) == len(set(aliases))
    assert 0.49 < rising / len(aliases) < 0.51


@pytest.mark.parametrize("counter", [-1, 10**BODY])
def test_counter_that_does_not_fit(counter: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        alias_of(counter, KEY)


@pytest.mark.parametrize(
    "said", ["", "12345678", "1234567890", "12345678x", "١٢٣٤٥٦٧٨٩", "-12345678", "½23456789"]
)
def test_what_is_no_alias(said: str) -> None:
    assert counter_of(said, KEY) is None
