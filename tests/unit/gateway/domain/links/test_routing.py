"""Which link carries a text: prefix, health, weight."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.domain.links.routing import Health, Route, choose, fit, next_allowed

UA = Route("ua", ("380",))
KYIV = Route("kyivstar", ("38067", "38068"))
TWIN = Route("twin", ("38067",), weight=3)
WORLD = Route("world")
ALL = (UA, KYIV, TWIN, WORLD)
WELL = dict.fromkeys((route.link for route in ALL), Health.WELL)


@pytest.mark.parametrize(
    ("number", "links"),
    [
        pytest.param("380671234567", ["kyivstar", "twin"], id="the longest prefix, twice"),
        pytest.param("380681234567", ["kyivstar"], id="the second prefix of a link"),
        pytest.param("380501234567", ["ua"], id="a shorter prefix"),
        pytest.param("77011234567", ["world"], id="no prefix carries all"),
    ],
)
def test_longest_prefix(number: str, links: list[str]) -> None:
    assert [route.link for route in fit(ALL, number)] == links


@pytest.mark.parametrize(
    ("health", "chosen"),
    [
        pytest.param({"kyivstar": Health.WELL}, "kyivstar", id="a dead one is skipped"),
        pytest.param({"kyivstar": Health.THROTTLED, "twin": Health.WELL}, "twin", id="so is a throttled one"),
        pytest.param({"kyivstar": Health.THROTTLED}, "kyivstar", id="throttled is better than dead"),
        pytest.param({}, "kyivstar", id="all dead: a queue keeps it"),
    ],
)
def test_health(health: dict[str, Health], chosen: str) -> None:
    assert choose(ALL, "380671234567", health, 0.0) == chosen


def test_equals_share_by_weight() -> None:
    chosen = Counter(choose(ALL, "380671234567", WELL, n / 100) for n in range(100))
    assert chosen == {"kyivstar": 25, "twin": 75}


def test_a_number_that_no_link_carries() -> None:
    assert choose((UA,), "77011234567", WELL, 0.5) is None
    assert choose((), "77011234567", WELL, 0.5) is None


@pytest.mark.parametrize(
    ("health", "chosen"),
    [
        pytest.param({"a": Health.WELL, "b": Health.WELL}, "a", id="the first"),
        pytest.param({"b": Health.WELL}, "b", id="the first is dead"),
        pytest.param({"a": Health.THROTTLED, "b": Health.WELL}, "b", id="the first is throttled"),
        pytest.param({"a": Health.THROTTLED}, "a", id="throttled is better than nothing"),
        pytest.param({}, None, id="none lives"),
    ],
)
def test_next_allowed(health: dict[str, Health], chosen: str | None) -> None:
    assert next_allowed(("a", "b"), health) == chosen
