"""Results of a blast by call: each person counted once, by what came of the last call."""

from __future__ import annotations

from sqlalchemy import insert

from campaigns.fan_out.fan_out import FanOut
from campaigns.lifecycle import lifecycle
from campaigns.lifecycle.runner import Running
from campaigns.shown import views
from campaigns.shown.results import Afterwards
from campaigns.shown.unknown import after_of, unknown
from gateway.domain.offers.least_count import FEWER
from gateway.domain.offers.offer_call import Outcome
from gateway.domain.offers.offer_ids import asked_id
from gateway.domain.policy.verdict import Reason
from gateway.store.sql import database, schema
from gateway.usecases.people.person import DATA, Inquiry, held
from tests.integration.campaigns.calls import TALKED_MS, Dialling
from tests.integration.campaigns.market import DAY_MS, NOON, Market
from tests.integration.house import LINK, SHORT

HOUR_MS = 3_600_000


async def test_everybody_is_counted_once(market: Market, dialling: Dialling) -> None:
    market.shoppers(30)
    market.shoppers(11, first=100, consent="out:1")
    blast = dialling.launched()
    market.fan_out(blast)
    dialling.begin(blast, 1)
    dialling.end(blast, Outcome.BUSY, 2, again_at=NOON + HOUR_MS)
    dialling.put_off(blast, 3, Reason.CAP_DAY, NOON + DAY_MS)
    dialling.deny(blast, 4, Reason.WITHDRAWN)
    dialling.end(blast, Outcome.UNKNOWN, 5)
    dialling.end(blast, Outcome.ACCEPTED, *range(6, 18))
    dialling.end(blast, Outcome.REFUSED, 18, 19)

    found = market.results(blast)
    assert found.calls is not None
    assert (found.calls.waiting, found.calls.calling) == (12, 1)
    assert found.calls.by_outcome == {"unknown": 1, "accepted": 12, "refused": 2}
    assert (found.deferred, found.denied) == ({"cap_day": 1}, {"withdrawn": 12})
    assert found.calls.talked_s == 14 * TALKED_MS // 1000
    shown = views.results(found, blast.id, market.desk.veil(market.firm))
    assert shown["calls"]["unknown"] == 1
    assert shown["calls"]["waiting"] in (10, 20)
    assert shown["calls"]["calling"] in (FEWER, 10)
    assert shown["calls"]["by_outcome"]["accepted"] in (10, 20)
    assert shown["calls"]["talked_minutes"] == 3
    assert set(shown["activated"]) == {"called", "held_out"}

    lifecycle.cancel(market.desk, market.again(blast), market.now)
    Running(market.desk, FanOut(market.desk), stop=lambda: False).sweep()
    after = market.results(blast)
    assert after.calls is not None
    assert (after.cancelled, after.calls.waiting, after.calls.by_outcome["busy"]) == (12, 0, 1)


async def test_what_people_did_after_the_call_counts_against_the_holdout(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(60)
    blast = dialling.launched(holdout=0.5)
    market.fan_out(blast)
    called = dialling.waiting(blast)
    held = sorted(set(range(1, 61)) - set(called))
    market.now += HOUR_MS
    dialling.end(blast, Outcome.HEARD, *called[:-1])
    market.house.series(market.campaign)
    activate(market, called[0], market.now + 1)
    activate(market, called[1], market.now - 1)  # before the call
    activate(market, called[-1], market.now + 1)  # not called yet
    activate(market, held[0], market.now - 1)
    refuse(market, called[2], market.now + 1)
    refuse(market, called[3], market.now - 1)
    found = market.results(blast)
    assert found.reached == Afterwards(len(called) - 1, 1)
    assert found.holdout == Afterwards(len(held), 1)
    assert found.opted_out == 1


async def test_the_texts_of_key_1_are_its_own_and_no_other_blasts(market: Market, dialling: Dialling) -> None:
    market.shoppers(3)
    first = dialling.launched()
    second = dialling.launched(audience=1)
    for blast, shopper, state in ((first, 1, "delivered"), (first, 2, "queued"), (second, 3, "accepted")):
        ask(market, blast.id, shopper, state)
    found = [market.results(blast) for blast in (first, second)]
    assert [(r.queued, r.sent, r.delivered) for r in found] == [(1, 0, 1), (0, 1, 0)]


async def test_unknown_calls_are_listed_page_by_page_by_the_firms_own_names(
    market: Market, dialling: Dialling
) -> None:
    market.shoppers(5)
    blast = dialling.launched()
    market.fan_out(blast)
    dialling.end(blast, Outcome.UNKNOWN, 1, 3, 5)
    dialling.end(blast, Outcome.HEARD, 2, 4)
    seen: list[str] = []
    after = ""
    while rows := unknown(market.desk, blast, after=after, most=2)["calls"]:
        assert {row["at"] for row in rows} == {views.time(NOON)}
        seen += [row["reference"] for row in rows]
        after = after_of(rows[-1])
    assert [market.desk.shopper(market.firm, reference) for reference in seen] == [1, 3, 5]


async def test_calls_are_among_what_is_held_about_a_person(market: Market, dialling: Dialling) -> None:
    (number, *_) = market.shoppers(2)
    blast = dialling.launched()
    market.fan_out(blast)
    dialling.end(blast, Outcome.HEARD)
    found = held(number, Inquiry(who="somebody", purpose=DATA), market.house.engine, market.house.vault)
    assert found is not None
    (call,) = found.holdings.listed["offer_calls"]
    assert (call["begun_at"], call["blast_id"], call["outcome"]) == (NOON, blast.id, "heard")


def ask(market: Market, blast: int, shopper: int, state: str) -> None:
    """The text that a shopper has asked for in a call."""
    values = {
        "id": asked_id(blast, shopper, firm=market.firm),
        "firm_id": market.firm,
        "shopper_id": shopper,
        "kind": "asked",
        "state": state,
        "link": LINK,
        "short_number": SHORT,
        "outcomes": "",
        "segments": 1,
        "queued_at": NOON,
    }
    with database.writing(market.house.engine) as connection:
        connection.execute(insert(schema.message).values(values))


def activate(market: Market, shopper: int, at: int) -> None:
    """A code that a shopper has activated at a time, ms."""
    values = {
        "firm_id": market.firm,
        "campaign_id": market.campaign,
        "space_id": 1,
        "serial": shopper,
        "shopper_id": shopper,
        "rule_version": 1,
        "points": 10,
        "channel": "sms",
        "message_id": f"m{shopper}",
        "claimed_at": at,
    }
    with database.writing(market.house.engine) as connection:
        connection.execute(insert(schema.activation).values(values))


def refuse(market: Market, shopper: int, at: int) -> None:
    """A shopper withdraws their consent."""
    values = {
        "shopper_id": shopper,
        "firm_id": market.firm,
        "channel": "call",
        "purpose": "marketing",
        "state": "withdrawn",
        "how": "call",
        "message_id": f"s{shopper}",
        "said_at": at,
    }
    with database.writing(market.house.engine) as connection:
        connection.execute(insert(schema.consent_entry).values(values))
