"""Records of calls on the way into SQL, and the figures that they add up to."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from gateway.store import call_log, calls, schema, sql
from gateway.store.call_log import CallLog
from gateway.store.calls import CallRow
from tests.integration.core.house import House

DAY = 1_700_000_000_000


def row(n: int = 1, **changes: object) -> CallRow:
    """An answered call of a minute that the caller ended."""
    usual = CallRow(
        id=f"{n:024x}",
        firm_id=1,
        free_number="0800500040",
        caller="known",
        language="uk",
        keys="1#4",
        services="look_up,balance",
        outcome="hung_up",
        fault=None,
        started_at=DAY,
        answered_at=DAY + 1000,
        ended_at=DAY + 61_000,
    )
    return usual._replace(**changes)  # type: ignore[arg-type]


def test_records_add_up(house: House) -> None:
    house.firm()
    rows = [
        row(1),
        row(2, keys="44", caller="withheld", answered_at=DAY),
        row(3, answered_at=None, keys=""),
        row(4, outcome="fault", fault="silent", firm_id=None, keys="1" * 100, ended_at=DAY + 1000),
        row(5, started_at=DAY - 1),  # of the day before
    ]
    calls.write(house.engine, rows)
    calls.write(house.engine, rows)  # a repeat has no effect

    told = calls.figures(house.engine, DAY)
    assert (told.calls, told.answered, told.answer_rate, told.seconds) == (4, 3, 0.75, 121.0)
    assert told.outcomes == {"fault": 1, "hung_up": 3}
    assert told.faults == {"silent": 1}
    assert told.callers == {"known": 3, "withheld": 1}
    assert told.keys == {"1": 65, "4": 3, "#": 1}
    nothing = calls.figures(house.engine, DAY + 1)
    assert (nothing.calls, nothing.answer_rate, nothing.seconds, nothing.keys) == (0, None, 0.0, {})


async def test_a_database_that_is_away_gets_them_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    monkeypatch.setattr(call_log, "MOST_KEPT", 3)
    book = CallLog(house.engine)
    away = [OperationalError("", None, Exception())] * 2
    whole = sql.writing

    def writing(engine: object) -> object:
        if away:
            raise away.pop()
        return whole(engine)  # type: ignore[arg-type]

    monkeypatch.setattr(sql, "writing", writing)
    for n in range(1, 5):
        book.add(row(n))  # the fourth finds no room
    for stands in (0, 0, 3):
        book.write()
        assert stored(house) == stands
    running = asyncio.create_task(book.run())
    await asyncio.sleep(0)  # it has begun
    book.add(row(9))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (away, stored(house)) == ([], 4)  # the last was written when the process ended


def stored(house: House) -> int:
    """How many records stand."""
    with house.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(schema.call_record)) or 0
