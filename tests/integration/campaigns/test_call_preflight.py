"""Drafts and preflight of blasts by call: what could never be called is refused, all else foretold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from campaigns.errors import Refused
from campaigns.lifecycle import lifecycle
from campaigns.preflight.call_load import CallLoad
from campaigns.preflight.preflight import preflight
from campaigns.shown import views
from config.policies import load as load_policies
from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import CallPlan, OnMachine, Outcome, Spoken
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import DAY_MS, FREE, NOON, Market

HOUR_MS = 3_600_000


def spoken(dialling: Dialling, **changes: Any) -> dict[str, Any]:
    """A plan in English and another one, part by part."""
    return {"call": dialling.plan("en", **changes)}


DRAFTS: dict[str, tuple[dict[str, Any], str]] = {
    "the fallback is not spoken": ({"fallback": "uk"}, "spoken: has nothing in uk, the fallback"),
    "no message without a number": (
        {"call": {"on_machine": OnMachine.LEAVE_MESSAGE}},
        f"free_number: a message that is left tells whom to call; one of {FREE}",
    ),
    "a free number of somebody else": ({"call": {"free_number": "0800111111"}}, "free_number: is not ours"),
    "no such recording": ({"spoken": {"en": (1, 99)}}, r"spoken.en.offer: there is no recording 99"),
    "of another language": ({"spoken": {"en": (3, 2)}}, r"spoken.en.intro: recording 3 is in uk"),
    "of another firm": ({"spoken": {"en": (1, 4)}}, r"spoken.en.offer: there is no recording 4"),
    "nobody says who calls": (
        {"spoken": {"en": (5, 2)}},
        r"spoken.en.intro: recording 5 does not say who calls: name Acme",
    ),
    "no such language": ({"spoken": {"en": (1, 2), "fr": (1, 2)}}, "spoken.fr: no such language"),
}


@pytest.mark.parametrize(("changes", "why"), DRAFTS.values(), ids=DRAFTS)
def test_a_draft_that_could_never_be_called_is_refused(
    market: Market, dialling: Dialling, changes: dict[str, Any], why: str
) -> None:
    plan = dialling.plan("en")  # recordings 1 and 2
    dialling.recording("uk")
    dialling.recording("en", firm=market.house.firm("other"))
    dialling.recording("en", words="Hello, it is spring!")
    pairs = {lang: Spoken(intro=a, offer=b) for lang, (a, b) in changes.get("spoken", {"en": (1, 2)}).items()}
    plan = plan.model_copy(update={"spoken": pairs, **changes.get("call", {})})
    others = {key: value for key, value in changes.items() if key not in ("call", "spoken")}
    with pytest.raises(Refused, match=why):
        market.blast(call=plan, fallback=others.pop("fallback", "en"), **others)


def test_what_is_uploaded_is_the_firms_to_answer_for(market: Market, dialling: Dialling) -> None:
    pair = Spoken(intro=dialling.recording("en", words=None), offer=dialling.recording("en", words=None))
    blast = market.blast(call=CallPlan(spoken={"en": pair}), fallback="en")
    assert (blast.channel, blast.state) == ("call", State.DRAFT)


def test_it_tells_whom_it_would_call_how_often_and_how_long(market: Market, dialling: Dialling) -> None:
    market.shoppers(40)
    market.shoppers(12, first=100, language="kk")
    market.shoppers(11, first=200, consent="in:1|out:2")
    earlier = dialling.launched()
    market.fan_out(earlier)
    dialling.end(earlier, Outcome.BAD_NUMBER, 1, 2)
    before = market.house.names()
    plan = dialling.plan(ring_s=10, max_attempts=2, retry_no_answer_s=3600)
    found = preflight(market.desk, market.blast(call=plan, fallback="en", audience=1), market.now)

    assert (found.audience, found.now, found.denied) == (63, 50, {"withdrawn": 11, "bad_number": 2})
    assert isinstance(found.load, CallLoad)
    assert found.load.calls == 75  # half answer the first, the others are called again
    assert found.load.talk_minutes == pytest.approx(75 / 2 * 15 / 60)  # 4 s of intro, 11 of offer
    assert found.load.ring_minutes == pytest.approx(75 / 2 * (10 + 20) / 60)  # 20: the pack's least
    assert found.forbids == []
    assert found.warns == [
        "24% of them speak kk and hear en: record it, too",
        "Ukraine: a call rings for 20 s at least, as its policy pack says",
    ]
    assert found.forecast is not None
    assert found.forecast.finishes_at is not None
    assert NOON + HOUR_MS < found.forecast.finishes_at < NOON + 2 * HOUR_MS
    assert market.house.names() == before
    shown = views.preflight(found)
    assert shown["calls"]["expected"] in (70, 80)
    assert "50% of the calls are answered, after 10 s" in shown["calls"]["assumed"]


def test_at_night_all_wait_and_what_the_channels_bear_is_told(market: Market, dialling: Dialling) -> None:
    market.shoppers(200)
    market.now = NOON + 12 * HOUR_MS  # midnight in Kyiv
    plan = dialling.plan(ring_s=20, channels=1, calls_per_s=50)
    found = preflight(market.desk, market.blast(call=plan), market.now)
    (until,) = found.deferred
    assert (found.now, found.deferred[until]) == (0, 200)
    assert isinstance(found.load, CallLoad)
    assert found.load.per_s == pytest.approx(1 / 22.5)  # 15 s of ringing and 7.5 of talk a call
    assert found.forecast is not None
    assert found.forecast.finishes_at is not None
    assert found.forecast.finishes_at > until + 350 * 22_500


def test_whoever_cannot_be_called_in_time_is_told(market: Market, dialling: Dialling) -> None:
    market.shoppers(200)
    plan = dialling.plan(ring_s=20, channels=1)
    blast = market.blast(call=plan, expires_at=NOON + HOUR_MS // 2)
    (late,) = preflight(market.desk, blast, market.now).warns
    assert late.startswith("about ")
    blast = market.blast(call=dialling.plan(ring_s=20), audience=1, expires_at=NOON + HOUR_MS)
    (warned,) = preflight(market.desk, blast, market.now).warns
    assert warned == "not all attempts can be made before it expires: let it expire later"


def test_where_the_law_knows_no_automatic_calls_it_is_not_launched(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(11, region="79161")
    blast = market.blast(call=dialling.plan())
    with pytest.raises(Refused, match="automatic calls with offers are not allowed in any country"):
        lifecycle.launch(market.desk, blast, market.now)
    assert market.again(blast).state is State.DRAFT
    market.shoppers(1, first=100)
    assert lifecycle.launch(market.desk, blast, market.now).state is State.RUNNING
    market.fan_out(blast)
    assert market.results(blast).denied == {"forbidden": 11}


def test_without_a_dialer_nothing_is_launched(market: Market, dialling: Dialling) -> None:
    market.shoppers(1)
    blast = market.blast(call=dialling.plan())
    with pytest.raises(Refused, match="nothing here makes calls"):
        lifecycle.launch(replace(market.desk, dialing=None), blast, market.now)


def test_fewer_attempts_of_a_pack_hold(market: Market, dialling: Dialling) -> None:
    market.shoppers(10)
    most = load_policies().packs["ua"].channels["call"].max_attempts
    plan = dialling.plan(max_attempts=10, ring_s=30)
    found = preflight(market.desk, market.blast(call=plan, expires_at=NOON + 9 * DAY_MS), market.now)
    assert isinstance(found.load, CallLoad)
    assert found.load.calls == pytest.approx(10 * (1 - 0.5**most) / 0.5)
    assert found.warns == [f"Ukraine: {most} attempts at most, as its policy pack says"]
