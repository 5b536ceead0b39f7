"""Numbers and moments of requests: what is checked is what is used, and what stands can always be told."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from gateway.store.sql import database, schema
from tests.integration.campaigns.market import WORDS, Market
from tests.integration.campaigns.test_http import Caller, caller

__all__ = ["caller"]

WHOLES = [
    ("20", 200),
    ("020", 200),
    ("21", 400),
    ("0", 400),
    ("-1", 400),
    ("1.0", 400),
    ("", 400),
    ("00000000150000", 400),
    ("000000001" + "9" * 4300, 400),
    ("٣", 400),
    ("²", 400),
]


@pytest.mark.parametrize(("most", "status"), WHOLES, ids=[most[:20] for most, _ in WHOLES])
async def test_a_sample_is_as_large_as_it_may_be(
    caller: Caller, market: Market, most: str, status: int
) -> None:
    market.shoppers(60)
    audience = market.audience()
    told, body = await caller.ask("GET", f"/v1/audiences/{audience.id}/sample?most={most}")
    assert told == status
    assert len(body.get("shoppers", ())) <= 20


@pytest.mark.parametrize("field", ["starts_at", "expires_at"])
@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "1999-12-31T00:00:00Z", "2101-01-01T00:00:00Z"]
)
async def test_a_moment_that_nobody_can_mean_is_refused(
    caller: Caller, market: Market, field: str, moment: str
) -> None:
    market.shoppers(1)
    draft = {"name": "Odd", "audience": market.audience().id, "campaign": market.campaign, "texts": WORDS}
    status, problem = await caller.ask("POST", "/v1/blasts", {**draft, field: moment})
    assert (status, problem["errors"][0]["pointer"]) == (400, f"#/{field}")
    assert (await caller.ask("GET", "/v1/blasts"))[1] == {"blasts": []}


@pytest.mark.parametrize("stands", [-62_135_650_800_000, 10**18])
async def test_a_moment_that_stands_already_is_told(caller: Caller, market: Market, stands: int) -> None:
    """As an earlier version has taken it: the firm sees its blasts, and can end that one."""
    market.shoppers(1)
    blast = market.blast()
    with database.writing(market.house.engine) as connection:
        connection.execute(update(schema.blast).values(starts_at=stands))
    for path in ("/v1/blasts", f"/v1/blasts/{blast.id}", f"/v1/blasts/{blast.id}/results"):
        assert (await caller.ask("GET", path))[0] == 200
    assert (await caller.ask("POST", f"/v1/blasts/{blast.id}/preflight"))[0] == 200
    status, told = await caller.ask("POST", f"/v1/blasts/{blast.id}/cancel")
    assert (status, told["state"]) == (200, "cancelled")


@pytest.mark.parametrize("after", ["a b", "x" * 41, "'", "ü", "x.%00"])
async def test_a_page_begins_where_one_has_ended(caller: Caller, market: Market, after: str) -> None:
    market.shoppers(1)
    blast = market.launched()
    assert (await caller.ask("GET", f"/v1/blasts/{blast.id}/unknown?after={after}"))[0] == 400
