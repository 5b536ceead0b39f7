"""What a blast asks of SQL again and again walks an index from where it was, and sorts nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from gateway.store.offers import call_list, unreached
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import Market


def plans(market: Market, work: Callable[[], object]) -> list[str]:
    """How SQLite answers what `work` asks, one line a step."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _u: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(market.house.engine, "before_cursor_execute", note)
    work()
    event.remove(market.house.engine, "before_cursor_execute", note)
    found = []
    with market.house.engine.connect() as connection:
        for statement, values in asked:
            if statement.startswith("SELECT"):
                found += [
                    row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                ]
    return found


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("channel", ["call", "sms"])
def test_a_page_of_the_unreached_begins_behind_the_last(
    market: Market, dialling: Dialling, channel: str
) -> None:
    texts = market.blast()
    calls = market.blast(call=dialling.plan(), audience=1)
    followed = texts if channel == "sms" else calls
    walked = "blast_recipient" if channel == "sms" else "offer_call"
    found = plans(
        market,
        lambda: unreached.page(market.house.engine, texts, followed, market.now, after=7, most=5),
    )
    assert found[0] == f"SEARCH {walked} USING PRIMARY KEY (blast_id=? AND shopper_id>?)"
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in found)


@pytest.mark.only_on("sqlite")
def test_what_waits_is_counted_by_its_own_indexes(market: Market, dialling: Dialling) -> None:
    blast = market.blast(call=dialling.plan())
    engine = market.house.engine
    due = plans(market, lambda: call_list.due(engine, blast.id, market.now, most=10))
    assert "SEARCH offer_call USING INDEX ix_offer_call_due (blast_id=? AND due_at<?)" in due
    by_state = "SEARCH offer_call USING COVERING INDEX ix_offer_call_outcome (blast_id=? AND state=?"
    assert plans(market, lambda: call_list.unended(engine, blast.id)) == [f"{by_state})"] * 2
    assert plans(market, lambda: call_list.failed(engine, blast.id)) == [f"{by_state} AND outcome=?)"]
