"""People stored under numbers that were read wrongly: told without a number, erased without one."""

from __future__ import annotations

import json

from sqlalchemy import update

from gateway.store.people import shoppers
from gateway.store.sql import database, schema
from tests.integration.conftest import Undercap
from tests.integration.house import ANNA, BOHDAN, House

NATIONAL = "0671234567"  # ANNA's
POLISH = "48501234567"  # a guest


def stored(house: House, *numbers: str) -> None:
    rows = [
        shoppers.row(house.vault, key=house.vault.index(n), number=n.encode(), language=None, at=1)
        for n in numbers
    ]
    with database.writing(house.engine) as connection:
        shoppers.enter(connection, rows)


def test_one_that_cannot_be_opened_hides_no_other(house: House, undercap: Undercap) -> None:
    house.firm()
    house.campaign()
    stored(house, NATIONAL, ANNA)
    with database.writing(house.engine) as connection:
        s = schema.shopper
        connection.execute(update(s).where(s.c.key == house.vault.index(ANNA)).values(number=b"broken"))
    found = json.loads(undercap("vault", "misread", "--json").output)["misread"]
    assert {one["why"].partition(":")[0] for one in found} == {
        "no country has such a number",
        "it cannot be opened",
    }


async def test_who_is_listed_and_erased_by_id(house: House, undercap: Undercap) -> None:
    house.firm()
    code = house.codes(house.campaign(), 1)[0]
    stored(house, NATIONAL, ANNA, POLISH)
    await house.text(code, BOHDAN)
    house.drain()
    ids = {house.vault.index(n): n for n in (NATIONAL, ANNA, POLISH, BOHDAN)}
    by_number = {ids[key]: id_ for id_, key in house.rows("shopper", "id", "key")}

    done = undercap("vault", "misread", "--json").output
    (one,) = json.loads(done)["misread"]

    assert one["shopper"] == by_number[NATIONAL]
    assert one["known_as"] == by_number[ANNA]
    assert one["why"] == "no country has such a number"
    assert not any(number in done for number in (NATIONAL, ANNA, POLISH, BOHDAN))
    told = undercap("vault", "erase", "--yes", "--shopper", str(one["shopper"])).output
    assert "erased" in told
    assert NATIONAL not in told
    assert json.loads(undercap("vault", "misread", "--json").output)["misread"] == []
    assert by_number[ANNA] in [id_ for id_, at in house.rows("shopper", "id", "erased_at") if at is None]
    assert "no shopper 99" in undercap("vault", "erase", "--yes", "--shopper", "99", fails=1).output
    again = undercap("vault", "erase", "--yes", "--shopper", str(one["shopper"]), fails=1).output
    assert "who is not erased" in again
