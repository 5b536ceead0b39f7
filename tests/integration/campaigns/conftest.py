"""A gateway with a firm that has shoppers, and a desk for its marketer."""

from __future__ import annotations

import pytest

from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import Market
from tests.integration.conftest import house, shared_server
from tests.integration.house import House

__all__ = ["house", "shared_server"]


@pytest.fixture
def market(house: House) -> Market:
    """One firm with one campaign; nobody knows it yet."""
    return Market(house)


@pytest.fixture
def dialling(market: Market) -> Dialling:
    """What a dialer does for the market's blasts by call."""
    return Dialling(market)
