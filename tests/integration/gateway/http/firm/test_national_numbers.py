"""Numbers in the form in which people of a campaign's country write them, whatever the links say."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.http.firm.consents import PATH as CONSENTS
from tests.integration.gateway.http.front import Front
from tests.integration.house import ANNA, LINK, SHORT, House

NATIONAL = "067 123 45 67"  # ANNA's
KAZAKH, KAZAKH_NATIONAL = "77012345678", "8 (701) 234-56-78"
THERE = "5050"


def links(*regions: str) -> dict[str, Any]:
    made = [
        {"name": f"{LINK}{at or ''}", "host": "127.0.0.1", "system_id": "undercap", "default_region": region}
        for at, region in enumerate(regions)
    ]
    return {"smpp": {"links": made}}


@pytest.mark.parametrize("regions", [("",), ("KZ",), ("KZ", "UA"), ("UA", "KZ")])
async def test_the_page_understands_the_campaigns_country(
    house: House, open_front: Any, regions: tuple[str, ...]
) -> None:
    house.firm()
    code, other = house.codes(house.campaign(), 1)[0], house.codes(house.campaign(), 1)[0]
    there = house.codes(house.campaign(short_numbers=(THERE,), timezone="Asia/Almaty"), 1)[0]
    front: Front = await open_front(**links(*regions))

    assert (await front.ask_pin(NATIONAL)).status == 202
    pin = front.pins_sent()[-1]
    assert (await front.claim(pin, code, phone=NATIONAL, short_number=SHORT)).outcomes == ["activated"]
    assert (await front.ask_pin(NATIONAL)).status == 202
    pin = front.pins_sent()[-1]
    assert (await front.claim(pin, other, phone=NATIONAL)).outcomes == ["activated"]  # of an older page
    assert (await front.ask_pin(KAZAKH_NATIONAL, THERE)).status == 202
    pin = front.pins_sent(KAZAKH)[-1]
    claimed = await front.claim(pin, there, phone=KAZAKH_NATIONAL, short_number=THERE)
    assert claimed.outcomes == ["activated"]
    house.drain()
    assert (house.balance(ANNA), house.balance(KAZAKH)) == (20, 10)


async def test_a_number_that_no_country_of_the_campaign_has(front: Front) -> None:
    refused = await front.ask_pin("067 123 45 6")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/phone")


@pytest.mark.parametrize("zones", [("Europe/Warsaw", "Europe/Kyiv"), ("Europe/Kyiv", "Europe/Warsaw")])
async def test_what_two_countries_of_a_firm_read_otherwise_is_refused(
    house: House, open_front: Any, zones: tuple[str, str]
) -> None:
    house.firm()
    for number, zone in zip((SHORT, THERE), zones, strict=True):
        house.campaign(short_numbers=(number,), timezone=zone)
    front: Front = await open_front()
    no = {"phone": "501 234 567", "channel": "all", "state": "withdrawn"}
    header = {"Authorization": f"Bearer {front.key()}"}

    refused = await front.send(CONSENTS, no, header, method="PUT")

    assert refused.status == 422
    assert "country code" in refused.body["detail"]
    assert house.rows("consent_entry", "id") == []


async def test_a_firms_own_page_and_its_consents(house: House, open_front: Any) -> None:
    house.firm("zeta")
    house.campaign("zeta", timezone="Asia/Almaty", short_numbers=(THERE,))
    house.firm("acme")
    code = house.codes(house.campaign("acme"), 1)[0]
    front: Front = await open_front(**links("KZ"))
    key = front.key("acme")
    header = {"Authorization": f"Bearer {key}"}

    assert (await front.activate(key, {"phone": NATIONAL, "code": code})).outcomes == ["activated"]
    no = {"phone": NATIONAL, "channel": "all", "state": "withdrawn"}
    assert (await front.send(CONSENTS, no, header, method="PUT")).status == 200
    house.drain()
    assert house.balance(ANNA, firm=2) == 10
    assert house.consent(ANNA, firm=2).startswith("out")
