"""Aliases: lasting, without order, growing before they are dense, and safe against a slip of the tongue."""

from __future__ import annotations

import itertools
from statistics import correlation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.people.alias import Alias, alias_of, counter_of, groups

KEY = "5c" * 32
NINE_DIGITS = 5_000_000  # counters, 5 % of all that eight permuted digits can say
COUNTERS = st.one_of(st.integers(0, 2 * NINE_DIGITS), st.integers(0, 5 * 10**16 - 1))


@given(COUNTERS, st.binary(min_size=32, max_size=32))
def test_round_trip(counter: int, key: bytes) -> None:
    alias = alias_of(counter, key.hex())

    assert alias.isdecimal()
    assert counter == counter_of(alias, key.hex())


@pytest.mark.parametrize(
    ("counter", "length"),
    [
        (0, 9),
        (NINE_DIGITS - 1, 9),
        (NINE_DIGITS, 10),
        (50_000_000 - 1, 10),
        (50_000_000, 11),
        (500_000_000, 12),
        (5 * 10**16 - 1, 19),
    ],
)
def test_an_alias_grows_before_one_in_twenty_is_given_away(counter: int, length: int) -> None:
    assert length == len(alias_of(counter, KEY))


def test_what_is_not_given_away_at_a_length_is_no_alias_of_it() -> None:
    """Every number of nine digits with a right check digit is some counter's: one in twenty is an alias."""
    right = [f"{body:08d}{check}" for body in range(0, 10**8, 99_991) for check in range(10)]
    found = [counter for said in right if (counter := counter_of(said, KEY)) is not None]

    assert all(0 <= counter < NINE_DIGITS for counter in found)
    assert 0.03 < len(found) / (len(right) / 10) < 0.07


@pytest.mark.parametrize("between", [" ", "-", "\u2011", "\u00a0", ".", " - "])
def test_said_in_groups(between: str) -> None:
    assert counter_of(between.join(groups(alias_of(42, KEY))), KEY) == 42


@pytest.mark.parametrize(
    ("alias", "said"),
    [
        ("123456789", ("123", "456", "789")),
        ("1234567890", ("123", "456", "7890")),
        ("12345678901", ("123", "456", "789", "01")),
        ("123456789012", ("123", "456", "789", "012")),
    ],
)
def test_no_digit_is_said_alone(alias: str, said: tuple[str, ...]) -> None:
    assert said == groups(alias)


@given(COUNTERS, st.integers(0, 8), st.integers(1, 9))
def test_every_wrong_digit_is_found(counter: int, at: int, shift: int) -> None:
    alias = alias_of(counter, KEY)
    wrong = alias[:at] + str((int(alias[at]) + shift) % 10) + alias[at + 1 :]

    assert counter_of(wrong, KEY) is None


@given(COUNTERS, st.integers(0, 7))
def test_every_swap_of_neighbours_is_found(counter: int, at: int) -> None:
    alias = alias_of(counter, KEY)
    swapped = alias[:at] + alias[at + 1] + alias[at] + alias[at + 2 :]

    assert (counter if swapped == alias else None) == counter_of(swapped, KEY)


def test_many_differ_and_show_no_order() -> None:
    """Of so many independent numbers these would stay inside four standard deviations."""
    many = 100_000
    aliases = [alias_of(counter, KEY) for counter in range(many)]
    values = [int(alias) for alias in aliases]

    assert len(set(aliases)) == many
    assert abs(correlation(values, range(many))) < 4 / many**0.5
    assert abs(correlation(values[:-1], values[1:])) < 4 / many**0.5
    rising = sum(a < b for a, b in itertools.pairwise(values)) / many
    assert abs(rising - 0.5) < 4 / (12 * many) ** 0.5  # of runs up and down


@pytest.mark.parametrize("counter", [-1, 5 * 10**16])
def test_a_counter_without_an_alias(counter: int) -> None:
    with pytest.raises(ValueError, match="no alias"):
        alias_of(counter, KEY)


@pytest.mark.parametrize(
    "said", ["", "12345678", "12345678x", "١٢٣٤٥٦٧٨٩", "+123456789", "½23456789", "1" * 20, "1" * 100_000]
)
def test_what_is_no_alias(said: str) -> None:
    assert counter_of(said, KEY) is None


@pytest.mark.parametrize(
    ("label", "told_at", "texted_at", "ends_at", "spends"),
    [
        ("given by text", None, None, None, True),
        ("told by call", 5, None, None, False),
        ("told by call, then texted", 5, 6, None, True),
        ("replaced, in its grace", None, None, 11, True),
        ("told by call and replaced", 5, None, 11, False),
        ("dead", 5, 6, 10, False),
    ],
)
def test_what_may_spend(
    label: str, told_at: int | None, texted_at: int | None, ends_at: int | None, spends: bool
) -> None:
    del label
    alias = Alias(
        counter=1, shopper_id=1, created_at=0, told_at=told_at, texted_at=texted_at, ends_at=ends_at
    )

    assert spends == alias.may_spend(now=10)
