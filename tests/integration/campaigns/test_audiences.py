"""Audiences: who is in them, that their samples stay, and that two firms cannot join their lists."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from gateway.domain.consent.consent_file import Line
from gateway.domain.consent.word import Channel, Consent
from gateway.domain.offers.audience import Definition
from gateway.domain.offers.least_count import told
from gateway.store.offers.audiences import Audience, NameTaken, NotExcludable
from gateway.store.sql import database, schema
from gateway.usecases.consent.import_consents import Imported, Source, import_lines
from tests.integration.campaigns.market import DAY_MS, Market


def members(market: Market, audience: Audience) -> set[int]:
    """Shopper ids, read page by page."""
    found: list[int] = []
    while page := market.desk.audiences.page(audience, market.now, after=found[-1] if found else 0, most=3):
        found += [member.shopper_id for member in page]
    assert len(found) == len(set(found)) == market.desk.audiences.count(audience, market.now)
    return set(found)


def activate(market: Market, shopper: int, days_ago: int, campaign: int | None = None) -> None:
    """A code of a campaign, so many days ago."""
    with database.writing(market.house.engine) as connection:
        connection.execute(
            insert(schema.activation).values(
                firm_id=market.firm,
                campaign_id=campaign or market.campaign,
                space_id=1,
                serial=shopper * 1000 + days_ago,
                shopper_id=shopper,
                rule_version=1,
                points=10,
                channel="sms",
                message_id="m",
                claimed_at=market.now - days_ago * DAY_MS,
            )
        )


CASES: list[tuple[str, dict[str, Any], set[int]]] = [
    ("everybody of the firm", {}, {1, 2, 3, 4, 5, 6}),
    ("activated in the campaign", {"activated": {"campaign": 1}}, {1, 2}),
    ("activated there of late", {"activated": {"campaign": 1, "within_days": 7}}, {1}),
    ("seen of late", {"seen": {"within_days": 7}}, {1}),
    ("not seen of late", {"seen": {"not_within_days": 7}}, {2, 3, 4, 5, 6}),
    ("points", {"points": {"least": 20, "most": 30}}, {4, 5}),
    ("region", {"regions": ["38050", "7"]}, {4, 5, 6}),
    ("a wider region", {"regions": ["380"]}, {1, 2, 3, 4, 5}),
    ("language, and nobody without one", {"languages": ["uk"]}, {1, 2, 3}),
    ("all that is said holds", {"languages": ["uk"], "seen": {"within_days": 365}}, {1, 2}),
]


@pytest.fixture
def town(market: Market) -> Market:
    """Six shoppers of whom different things are known, and one of another firm."""
    rows = [
        # id, number, language, points
        (1, "380671111111", "uk", 10),
        (2, "380671111112", "uk", 10),
        (3, "380671111113", "uk", 10),
        (4, "380501111114", "ru", 20),
        (5, "380501111115", None, 30),
        (6, "77011111116", None, 40),
        (7, "380671111117", "uk", 10),
    ]
    other = market.house.firm("other")
    house = market.house
    from gateway.store.people import shoppers

    with database.writing(house.engine) as connection:
        for id_, number, language, points in rows:
            key = house.vault.index(number)
            row = shoppers.row(house.vault, key=key, number=number.encode(), language=language, at=1)
            connection.execute(insert(schema.shopper), {"id": id_, **row})
            firm = other if id_ == 7 else market.firm
            connection.execute(insert(schema.balance), {"shopper_id": id_, "firm_id": firm, "points": points})
    house.codes(market.campaign, 1)
    activate(market, 1, 3)
    activate(market, 2, 30)
    return market


@pytest.mark.parametrize(
    ("definition", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_who_is_in_it(town: Market, definition: dict[str, Any], wanted: set[int]) -> None:
    audience = town.audience(**definition)
    assert members(town, audience) == wanted
    # An exclusion is its opposite, also for those of whom something is not known.
    without = town.audience("without", exclude=(audience.id,))
    assert members(town, without) == {1, 2, 3, 4, 5, 6} - wanted


def test_a_list_of_references_holds_only_the_firms_own_shoppers(town: Market) -> None:
    audience = town.audience(uploaded=True)
    references = [town.desk.reference(town.firm, id_) for id_ in (2, 4, 7)]
    foreign = [town.desk.reference(2, 1)]
    ids = [town.desk.shopper(town.firm, said) for said in [*references, *foreign, "4k2v9q0m8t3x", "?"]]
    known = town.desk.audiences.upload(audience, [id_ for id_ in ids if id_ is not None], town.now)
    assert (known, members(town, audience)) == ({2, 4}, {2, 4})
    town.desk.audiences.clear(audience)
    assert members(town, audience) == set()


def test_two_firms_have_no_name_in_common_for_a_shopper(town: Market) -> None:
    ours = {town.desk.reference(1, id_) for id_ in range(1, 500)}
    theirs = {town.desk.reference(2, id_) for id_ in range(1, 500)}
    assert len(ours) == len(theirs) == 499
    assert ours & theirs == set()


def test_a_sample_is_the_same_each_time_and_about_its_share(market: Market) -> None:
    market.shoppers(600)
    share = market.audience("share", sample={"share": 0.25})
    drawn = members(market, share)
    assert 100 < len(drawn) < 200
    found = market.desk.audiences.find(market.firm, share.id)
    assert found is not None
    assert members(market, found) == drawn
    other = market.audience("another", sample={"share": 0.25})
    assert members(market, other) != drawn
    most = market.audience("most", sample={"most": 50})
    assert len(members(market, most)) == 50


def test_names_are_used_once_and_only_what_is_there_is_excluded(market: Market) -> None:
    market.audience("all")
    with pytest.raises(NameTaken):
        market.audience("all")
    with pytest.raises(NotExcludable):
        market.audience("without", exclude=(99,))
    assert [found.name for found in market.desk.audiences.all(market.firm)] == ["all"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"seen": {}},
        {"seen": {"within_days": 1, "not_within_days": 2}},
        {"points": {"least": 3, "most": 2}},
        {"regions": ["380671234567"]},
        {"sample": {"share": 1.5}},
        {"numbers": ["380671234567"]},
    ],
    ids=lambda wrong: str(next(iter(wrong))),
)
def test_a_definition_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Definition.model_validate(wrong, strict=False)


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, "fewer than 10"), (9, "fewer than 10"), (10, 10)])
def test_few_people_are_not_counted_out(count: int, shown: object) -> None:
    assert told(count) == shown


async def test_who_said_yes_and_never_activated_a_code_is_reached(market: Market) -> None:
    line = Line(number="380671234567", channels=(Channel.SMS,), state=Consent.GIVEN, said_at=1, proof="7")
    source = Source(firm_id=market.firm, how="paper form", wording="Offers by SMS", actor="operator")
    assert await import_lines([line], source, market.house.consent_desk()) == Imported(given=1)
    market.fan_out(market.launched())
    assert [number for number, _ in market.waiting()] == ["380671234567"]
