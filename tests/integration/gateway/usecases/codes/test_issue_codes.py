"""Series of codes: the odds of the whole space, shared and longer spaces, no overlap."""

from __future__ import annotations

import time

import pytest

from gateway.usecases.codes import issue_codes
from gateway.usecases.firms import set_up
from gateway.usecases.firms.set_up import Refused
from tests.integration.house import House


def series_of(house: House, campaign: int, count: int, length: int | None = None) -> tuple[int, int, int]:
    """(space, length, first serial) of a new series of digits."""
    made = issue_codes.issue(
        house.engine,
        house.vault,
        campaign=campaign,
        count=count,
        alphabet="digits",
        odds=10_000_000,
        length=length,
    )
    return made.space.id, made.space.length, made.first


async def test_space_is_shared_until_its_odds_are_used_up(house: House) -> None:
    house.firm()
    one, other = house.campaign(), house.campaign(name="Winter")

    assert series_of(house, one, 600_000) == (1, 13, 0)
    assert series_of(house, other, 400_000) == (1, 13, 600_000)
    assert series_of(house, one, 1) == (2, 14, 0)  # the space of 13 is full
    with pytest.raises(Refused, match="no room"):
        series_of(house, one, 1, length=13)
    assert series_of(house, one, 5, length=20) == (3, 20, 0)


async def test_another_short_number_has_spaces_and_keys_of_its_own(house: House) -> None:
    house.firm()
    one = house.campaign()
    other = house.campaign(short_numbers=("5050",))

    first, second = house.series(one, 3), house.series(other, 3)

    assert first.space.id != second.space.id
    assert not {code for _, code in first.codes()} & {code for _, code in second.codes()}


async def test_campaign_on_two_numbers_gets_a_space_that_both_reach(house: House) -> None:
    house.firm()
    series_of(house, house.campaign(), 10)
    both = house.campaign(short_numbers=("4040", "5050"))

    space, length, _ = series_of(house, both, 10)

    assert (space, length) == (2, 14)  # the length of 13 is taken at one of them
    numbers = house.catalog.short_numbers
    assert set(numbers["4040"].routes) == {("digits", 13), ("digits", 14)}
    assert set(numbers["5050"].routes) == {("digits", 14)}


async def test_what_cannot_be_redeemed_leaves_room(house: House) -> None:
    """Voided batches and ended campaigns count no more; their serials are never given out again."""
    house.firm()
    campaign, over = house.campaign(), house.campaign(name="Over")
    made = house.series(campaign, 500_000)
    series_of(house, over, 500_000)
    assert series_of(house, campaign, 1)[1] == 14

    issue_codes.void_batch(house.engine, made.batches[0][0])
    assert series_of(house, campaign, 500_000) == (1, 13, 1_000_000)
    set_up.change_state(house.engine, over, "end")
    assert series_of(house, campaign, 500_000) == (1, 13, 1_500_000)


async def test_million_in_seconds(house: House) -> None:
    house.firm()
    made = issue_codes.issue(
        house.engine,
        house.vault,
        campaign=house.campaign(),
        count=1_000_000,
        alphabet="digits",
        odds=10_000_000,
        length=None,
    )

    begun = time.monotonic()
    sample = [code for (_, code), _ in zip(made.codes(), range(20_000), strict=False)]

    assert made.space.length == 13
    assert len(set(sample)) == 20_000
    assert time.monotonic() - begun < 2  # a hundredth of it; a million takes some seconds
