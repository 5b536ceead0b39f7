"""Preflight: the real decisions, charging and sending nothing; and what it forbids is not launched."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.errors import Refused
from campaigns.lifecycle import lifecycle
from campaigns.preflight.preflight import preflight
from campaigns.preflight.text_estimate import TextLoad
from campaigns.shown import views
from gateway.domain.offers.blast import State
from gateway.domain.offers.least_count import FEWER
from tests.integration.campaigns.market import DAY_MS, NOON, WORDS, Market

HOUR_MS = 3_600_000


def test_it_tells_what_would_happen_and_changes_nothing(market: Market) -> None:
    market.shoppers(20)
    market.shoppers(12, first=100, consent="out:1")
    market.shoppers(11, first=200, consent="")
    before = market.house.names()
    blast = market.blast(holdout=0.2)

    found = preflight(market.desk, blast, market.now)
    assert (found.audience, found.looked) == (43, 43)
    assert found.now + found.held + found.denied.total() == 43
    assert set(found.denied) == {"withdrawn", "no_consent"}
    assert found.deferred.total() == 0
    assert found.load == TextLoad(texts=found.people, per_text=1.0, longest={"en": 1, "uk": 1})
    assert found.forbids == []
    assert found.forecast is not None
    assert found.forecast.finishes_at is not None
    assert NOON < found.forecast.finishes_at < NOON + HOUR_MS
    assert market.house.names() == before
    assert market.house.rows("message", "id") == []


def test_at_night_all_wait_for_the_morning(market: Market) -> None:
    market.shoppers(10)
    market.now = NOON + 12 * HOUR_MS  # midnight in Kyiv
    found = preflight(market.desk, market.blast(), market.now)
    (until,) = found.deferred
    assert (found.now, found.deferred[until]) == (0, 10)
    assert found.forecast is not None
    assert found.forecast.finishes_at is not None
    assert found.forecast.finishes_at >= until > market.now


def test_a_finish_that_the_hours_put_off_is_told(market: Market) -> None:
    """100 segments a second: so many do not fit before the evening."""
    market.shoppers(50)
    blast = market.blast(spread_s=24 * 3600)
    found = preflight(market.desk, blast, market.now)
    assert found.forecast is not None
    assert found.forecast.finishes_at is not None
    assert found.forecast.finishes_at > NOON + DAY_MS


FORBIDDEN: dict[str, tuple[dict[str, Any], str]] = {
    "nobody is there": ({"regions": ["7"]}, "nobody is in the audience"),
}


@pytest.mark.parametrize(("definition", "why"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_it_forbids_is_not_launched(market: Market, definition: dict[str, Any], why: str) -> None:
    market.shoppers(11, consent="out:1")
    blast = market.blast(market.audience(**definition))
    with pytest.raises(Refused, match=why):
        lifecycle.launch(market.desk, blast, market.now)
    assert market.again(blast).state is State.DRAFT


def test_a_campaign_that_is_over_has_no_blast(market: Market) -> None:
    market.shoppers(1)
    blast = market.blast()
    market.house.move(market.campaign, NOON - DAY_MS, NOON - 1)
    with pytest.raises(Refused, match="is over by then"):
        lifecycle.launch(market.desk, blast, market.now)


DRAFTS: dict[str, tuple[dict[str, Any], str]] = {
    "no way out": ({"texts": {"en": "Points at {firm}!"}}, "does not say how to refuse"),
    "no name": ({"texts": {"en": "Points! STOP"}}, "does not say who writes"),
    "a strange variable": ({"texts": {"en": "{number} {firm} {opt_out}"}}, "a placeholder is one of"),
    "braces": ({"texts": {"en": "{firm {opt_out}"}}, "braces do not match|a placeholder"),
    "too long": ({"texts": {"en": "{firm} {opt_out}" + " word" * 300}}, "segments at its longest, 4 at most"),
    "no fallback": ({"texts": WORDS, "fallback": "kk"}, "is the fallback, and has no text"),
    "over before it starts": ({"starts_at": NOON + DAY_MS, "expires_at": NOON + 1}, "expires_at"),
    "no audience": ({"audience": 77}, "there is no audience 77"),
    "no campaign": ({"campaign": 77}, "there is no campaign 77"),
    "another short number": ({"short_number": "5050"}, "short_number"),
}


@pytest.mark.parametrize(("changes", "why"), DRAFTS.values(), ids=DRAFTS)
def test_a_draft_that_could_never_be_sent_is_refused(
    market: Market, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        market.blast(**changes)


def test_a_scheduled_one_begins_at_its_time_and_survives_anything_before(market: Market) -> None:
    from campaigns.fan_out.fan_out import FanOut
    from campaigns.lifecycle.runner import Running

    market.shoppers(2)
    blast = lifecycle.launch(market.desk, market.blast(starts_at=NOON + HOUR_MS), market.now)
    assert blast.state is State.SCHEDULED

    def sweep() -> None:  # of a process that was started anew
        Running(market.desk, FanOut(market.desk), stop=lambda: False).sweep()

    sweep()
    assert market.again(blast).state is State.SCHEDULED
    market.now = NOON + HOUR_MS
    sweep()
    assert market.again(blast).state is State.RUNNING
    market.now = NOON + 9 * DAY_MS
    sweep()
    assert market.again(blast).state is State.EXPIRED


def test_what_was_put_off_ends_with_the_blast(market: Market) -> None:
    from campaigns.fan_out.fan_out import FanOut
    from campaigns.lifecycle.runner import Running

    market.shoppers(11)
    market.now = NOON + 12 * HOUR_MS
    blast = market.launched()
    market.fan_out(blast)
    assert market.states(blast) == {"deferred": 11}
    lifecycle.cancel(market.desk, market.again(blast), market.now)
    Running(market.desk, FanOut(market.desk), stop=lambda: False).sweep()
    assert market.states(blast) == {"cancelled": 11}
    with pytest.raises(Refused, match="the blast is cancelled; it can resume only while it is paused"):
        lifecycle.resume(market.desk, market.again(blast), market.now)


@pytest.mark.parametrize("people", [1, 10, 11])
def test_whether_few_may_be_written_to_is_told_alike(market: Market, people: int) -> None:
    """An audience of one, or of one beside nine that are known, tells nothing of that one."""
    market.shoppers(people - 1, consent="out:1") if people > 1 else None
    (target,) = market.shoppers(1, first=100, consent="out:1")
    blast = market.blast()
    told_of_no = views.preflight(preflight(market.desk, blast, market.now))
    market.say(target, "in:1")
    told_of_yes = views.preflight(preflight(market.desk, blast, market.now))

    assert told_of_no["may_launch"] is told_of_yes["may_launch"] is True
    if told_of_yes["now"] == FEWER:  # of 1 person it is so with nine keys of ten
        for shown in (told_of_no, told_of_yes):
            assert (shown["now"], shown["deferred"], "segments" in shown) == (FEWER, [], False)
            assert shown["warns"] == ["fewer than 10 people of the audience may be written to, or nobody"]
    assert all(n != FEWER for shown in (told_of_no, told_of_yes) for n in shown["denied"].values())


def test_the_same_people_are_told_alike_in_whatever_draft(market: Market) -> None:
    market.shoppers(33)
    market.shoppers(17, first=100, consent="out:1")
    everybody = market.audience()
    shown = [
        views.preflight(preflight(market.desk, market.blast(everybody, name=f"{n}"), market.now))
        for n in range(5)
    ]
    assert len({(one["now"], one["denied"]["withdrawn"], one["audience"]) for one in shown}) == 1
    assert (shown[0]["now"], shown[0]["denied"]["withdrawn"]) in {(n, d) for n in (30, 40) for d in (10, 20)}
