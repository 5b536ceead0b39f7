"""Records of calls on the way into SQL, and the figures that they add up to."""

from __future__ import annotations

import asyncio
import errno
import json
import os

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import OperationalError

from gateway.store.calls import journal as call_journal
from gateway.store.calls import record_writer, records
from gateway.store.calls.journal import CallJournal
from gateway.store.calls.record_writer import CallLog
from gateway.store.calls.records import CallRow
from gateway.store.sql import database, schema
from tests.integration.house import House

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
    records.write(house.engine, rows)
    records.write(house.engine, rows)  # a repeat has no effect

    told = records.figures(house.engine, DAY)
    assert (told.calls, told.answered, told.answer_rate, told.seconds) == (4, 3, 0.75, 121.0)
    assert told.outcomes == {"fault": 1, "hung_up": 3}
    assert told.faults == {"silent": 1}
    assert told.callers == {"known": 3, "withheld": 1}
    assert told.keys == {"1": 65, "4": 3, "#": 1}
    nothing = records.figures(house.engine, DAY + 1)
    assert (nothing.calls, nothing.answer_rate, nothing.seconds, nothing.keys) == (0, None, 0.0, {})


async def test_a_database_that_is_away_gets_them_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    monkeypatch.setattr(record_writer, "MOST_KEPT", 3)
    book = CallLog(house.engine, opened(house)[0])
    away = [OperationalError("", None, Exception())] * 2
    whole = database.writing

    def writing(engine: object) -> object:
        if away:
            raise away.pop()
        return whole(engine)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "writing", writing)
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


def test_one_that_cannot_be_written_is_laid_aside_and_holds_up_no_other(house: House) -> None:
    house.firm()
    journal, _ = opened(house)
    book = CallLog(house.engine, journal)
    for n in range(1, 5):
        book.add(row(n, firm_id=77 if n == 2 else 1))
    book.write()

    assert stored(house) == 3
    (line,) = (house.state / "calls" / call_journal.ASIDE).read_text().splitlines()
    told = json.loads(line)
    assert told["row"]["id"] == row(2).id
    assert any(name in told["why"] for name in ("IntegrityError", "ForeignKeyViolation"))


def test_where_none_can_be_written_all_wait(house: House) -> None:
    house.firm()
    book = CallLog(house.engine, opened(house)[0])
    for n in range(1, 5):
        book.add(row(n, firm_id=77))
    book.write()
    assert (stored(house), (house.state / "calls" / call_journal.ASIDE).exists()) == (0, False)


def test_what_asterisk_says_fits(house: House) -> None:
    book = CallLog(house.engine, opened(house)[0])
    book.add(row(1, firm_id=None, free_number="8" * 99, language="uk-UA"))
    book.write()
    assert house.rows("call_record", "free_number", "language") == [("8" * 15, "uk")]


def opened(house: House) -> tuple[CallJournal, list[CallRow]]:
    """The journal of a process that starts now, and what it has found."""
    journal = CallJournal(house.state / "calls")
    return journal, journal.open()


def killed(journal: CallJournal) -> None:
    """As the kernel does to a process: its locks are gone, its files stay."""
    for descriptor in (journal._held, journal._descriptor):
        os.close(descriptor)


def open_row(n: int) -> CallRow:
    """A call that goes on."""
    return row(n, outcome="lost", ended_at=DAY + 2000)


def test_calls_of_a_killed_process_are_recorded_by_the_next_one(house: House) -> None:
    house.firm()
    journal, _ = opened(house)
    book = CallLog(house.engine, journal)
    for n in range(1, 5):
        book.note(open_row(n))
    book.add(row(1))
    book.write()
    book.add(row(2))  # not in SQL yet
    book.note(open_row(3)._replace(services="look_up,stop"))
    died = DAY + 3_600_000
    os.utime(journal._descriptor, (died / 1000, died / 1000))
    killed(journal)

    journal, left = opened(house)
    CallLog(house.engine, journal, left).write()
    assert sorted(house.rows("call_record", "id", "outcome", "services", "ended_at")) == [
        (f"{1:024x}", "hung_up", "look_up,balance", DAY + 61_000),
        (f"{2:024x}", "hung_up", "look_up,balance", DAY + 61_000),
        (f"{3:024x}", "lost", "look_up,stop", died),
        (f"{4:024x}", "lost", "look_up,balance", died),
    ]
    assert records.figures(house.engine, DAY).outcomes == {"hung_up": 2, "lost": 2}


def test_what_nobody_has_written_is_left_to_the_one_after(house: House) -> None:
    house.firm()
    away = create_engine("sqlite:////nowhere/there/is.db")
    for n in (1, 2):
        journal, left = opened(house)
        assert [r.id for r in left] == [row(m).id for m in range(1, n)]
        book = CallLog(away, journal, left)
        book.add(row(n))
        book.write()
        killed(journal)
    journal, left = opened(house)
    book = CallLog(house.engine, journal, left)
    book.write()
    book.close()
    assert stored(house) == 2
    assert opened(house)[1] == []


def test_a_process_that_lives_keeps_its_calls_and_one_that_stops_leaves_nothing(house: House) -> None:
    journal, _ = opened(house)
    journal.note(open_row(1))
    other, left = opened(house)
    assert left == []
    book = CallLog(house.engine, other)
    book.note(open_row(2))
    book.add(row(2, firm_id=None))
    book.write()
    book.close()
    killed(journal)
    assert [r.id for r in opened(house)[1]] == [row(1).id]


def test_half_a_line_costs_no_other_one(house: House) -> None:
    journal, _ = opened(house)
    journal.note(open_row(1))
    os.write(journal._descriptor, b'\n["half a')
    journal.note(open_row(2))
    os.write(journal._descriptor, b'\n["the last')
    killed(journal)
    assert [r.id for r in opened(house)[1]] == [row(1).id, row(2).id]


def test_the_journal_does_not_grow_with_the_calls_that_are_over(house: House) -> None:
    house.firm()
    journal, _ = opened(house)
    book = CallLog(house.engine, journal)
    book.note(open_row(0))
    for n in range(1, 2001):
        book.note(open_row(n))
        book.add(row(n))
        if n % 100 == 0:
            book.write()
    (file,) = (house.state / "calls").glob("*.rows")
    assert file.stat().st_size < 300_000
    killed(journal)
    assert row(0).id in {r.id for r in opened(house)[1]}


async def test_a_disk_that_is_full_costs_the_journal_and_no_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    journal, _ = opened(house)
    killed(journal)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        book = CallLog(house.engine, journal)
        book.note(open_row(1))
        book.add(row(1))
        book.write()
    assert stored(house) == 1


def stored(house: House) -> int:
    """How many records stand."""
    with house.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(schema.call_record)) or 0
