"""The access log of a process: a row a purpose and minute, and nothing lost but the last seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine

from gateway.store.sql import database
from gateway.store.vault import access_log
from gateway.store.vault.access_log import AccessLog
from gateway.store.vault.vault import Vault
from tests.integration.house import MASTER, House

SEALED = {purpose: Vault(MASTER).seal(purpose, b"380671234567") for purpose in ("reply", "answer")}


def rows(house: House) -> list[tuple[object, ...]]:
    return house.rows("vault_access", "process", "purpose", "opened")


def open_some(vault: Vault, **counts: int) -> None:
    for purpose, count in counts.items():
        for _ in range(count):
            vault.open(purpose, SEALED[purpose])


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_one_row_a_purpose_and_minute(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    minute_s = 1_700_000_040.0
    monkeypatch.setattr(time, "time", lambda: minute_s)
    vault = Vault(MASTER)
    access = AccessLog(house.engine, vault, "worker")

    access.write()
    assert rows(house) == []
    open_some(vault, reply=2)
    access.write()
    access.write()
    open_some(vault, reply=1, answer=5)
    access.write()
    assert rows(house) == [("worker", "reply", 3), ("worker", "answer", 5)]

    minute_s += 60
    open_some(vault, reply=1)
    access.write()
    assert rows(house) == [("worker", "reply", 3), ("worker", "answer", 5), ("worker", "reply", 1)]
    assert [at for (at,) in house.rows("vault_access", "minute_at")][1:] == [
        1_700_000_040_000,
        1_700_000_100_000,
    ]


async def test_what_a_database_that_is_away_missed_is_written_later(house: House) -> None:
    vault = Vault(MASTER)
    access = AccessLog(create_engine("sqlite:////nowhere/there/is.db"), vault, "worker")
    open_some(vault, reply=2)
    access.write()
    access._engine = house.engine
    open_some(vault, reply=1)
    access.write()

    assert rows(house) == [("worker", "reply", 3)]


async def test_a_purpose_that_cannot_be_written_costs_no_other(house: House) -> None:
    vault = Vault(MASTER)
    access = AccessLog(house.engine, vault, "a command of a name too long for it")
    open_some(vault, reply=2)
    vault.opened["a purpose of a name too long for it"] += 1
    access.write()
    open_some(vault, reply=1)
    access.write()

    assert rows(house) == [("a command of a name ", "reply", 3)]


async def test_it_is_written_while_the_process_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a kill takes the last seconds alone."""
    monkeypatch.setattr(access_log, "WRITE_EVERY_S", 0.01)
    vault = Vault(MASTER)
    running = asyncio.ensure_future(AccessLog(house.engine, vault, "api").run())
    open_some(vault, answer=1)
    await until(lambda: bool(rows(house)))
    open_some(vault, answer=1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert rows(house) == [("api", "answer", 2)]


async def test_it_is_written_beside_a_long_command(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "WRITE_EVERY_S", 0.01)
    vault = Vault(MASTER)
    with AccessLog(house.engine, vault, "vault reseal").kept():
        open_some(vault, answer=1)
        await until(lambda: bool(rows(house)))
        open_some(vault, answer=1)

    assert rows(house) == [("vault reseal", "answer", 2)]


async def test_a_writing_that_is_on_its_way_when_the_process_ends_is_not_counted_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "WRITE_EVERY_S", 0.01)
    begun, done, whole = threading.Event(), threading.Event(), database.writing

    @contextmanager
    def slow(engine: Engine) -> Iterator[Connection]:
        first = not begun.is_set()
        if first:
            begun.set()
            time.sleep(0.3)  # long enough for the process to end meanwhile
        with whole(engine) as connection:
            yield connection
        if first:
            done.set()

    monkeypatch.setattr(database, "writing", slow)
    vault = Vault(MASTER)
    open_some(vault, answer=1)
    running = asyncio.ensure_future(AccessLog(house.engine, vault, "api").run())
    await until(begun.is_set)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(done.is_set)

    assert rows(house) == [("api", "answer", 1)]
