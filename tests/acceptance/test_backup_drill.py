"""The drill: back up, lose everything, restore, text again. Nothing is credited twice, nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.acceptance.promotion import known, read_codes
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.harness import HarnessError
from tests.peers.postgres import PostgresServer

LINK = "peer"


async def codes_of(stand: Stand, count: int) -> list[str]:
    """Codes that the gateway knows; one more is spent on finding out."""
    campaign = stand.gateway.campaign()
    first, *others = read_codes(stand.gateway.codes(campaign, count + 1), count + 1)
    await known(stand, LINK, first)
    return [code.printed for code in others]


def privately_kept(place: Path, number: str) -> None:
    """A backup is its owner's alone, and tells no number."""
    assert place.stat().st_mode & 0o777 == 0o700
    for file in place.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        assert number.encode() not in file.read_bytes()


def credits_of(stand: Stand) -> int:
    return int(stand.gateway.sql("SELECT count(*) FROM activation")[0][0])


async def stopped(stand: Stand) -> None:
    if stand.gateway._engine is not None:
        stand.gateway._engine.dispose()
        stand.gateway._engine = None
    await stand.gateway.stop()


async def begun(stand: Stand) -> None:
    stand.gateway.start("up")
    await stand.smscs[LINK].wait_bound()


async def drilled(stand: Stand, place: Path) -> list[str]:
    """A life, a backup in its middle, the loss of everything, as far as the stop; the codes."""
    codes = await codes_of(stand, 3)
    anna, bohdan = stand.shopper("anna"), stand.shopper("bohdan")
    await stand.exchange(LINK, anna, codes[0])
    assert await stand.text(LINK, bohdan, codes[1]) == 0  # settled or not when the copy is made
    stand.gateway.cli("backup", str(place))
    privately_kept(place, anna.number)
    await stand.answers(LINK, bohdan)
    with pytest.raises(HarnessError, match="stop it first"):
        stand.gateway.cli("restore", str(place))
    await stopped(stand)
    return codes


async def is_whole_again(stand: Stand) -> None:
    """Codes of before are used, by whom they were; nothing is credited twice; the last one is free."""
    await stand.gateway.until(stand.gateway.outboxes_empty, "texts wait")
    assert credits_of(stand) == 3
    assert [row[0] for row in stand.gateway.sql("SELECT points FROM balance")] == [10, 10, 10]


async def test_sqlite_destroyed_and_restored(short_path: Path) -> None:
    async with standing(short_path, {LINK: any_smsc()}) as stand:
        place = short_path / "backup"
        codes = await drilled(stand, place)
        state = short_path / "var"
        shutil.rmtree(state)

        told = stand.gateway.cli("restore", str(place))

        assert "Next: `undercap up`" in told
        await begun(stand)
        await is_whole_again(stand)
        clara = stand.shopper("clara")
        for code in codes:
            await stand.exchange(LINK, clara, code)
        await stand.gateway.until(stand.gateway.outboxes_empty, "texts wait")
        assert credits_of(stand) == 4
        await stopped(stand)
        with pytest.raises(HarnessError, match="--replace"):
            stand.gateway.cli("restore", str(place))


async def test_postgresql_destroyed_and_restored(short_path: Path, postgres: PostgresServer) -> None:
    url = postgres.make_bare()
    async with standing(short_path, {LINK: any_smsc()}, settings={"sql": {"url": url}}) as stand:
        place = short_path / "backup"
        await drilled(stand, place)
        shutil.rmtree(short_path / "var")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()

        stand.gateway.cli("restore", str(place))

        await begun(stand)
        await is_whole_again(stand)


async def test_file_alone_is_the_ledger_after_a_stop(short_path: Path) -> None:
    async with standing(short_path, {LINK: any_smsc()}) as stand:
        (code,) = await codes_of(stand, 1)
        await stand.exchange(LINK, stand.shopper(), code)
        await stopped(stand)
        alone = short_path / "alone.db"
        shutil.copyfile(short_path / "var" / "undercap.db", alone)
        with closing(sqlite3.connect(alone)) as copy:
            assert copy.execute("SELECT count(*) FROM activation").fetchall() == [(2,)]


async def test_lost_or_earlier_ledger_is_noticed(short_path: Path) -> None:
    async with standing(short_path, {LINK: any_smsc()}) as stand:
        first, second = await codes_of(stand, 2)
        anna = stand.shopper("anna")
        await stand.exchange(LINK, anna, first)
        await stopped(stand)
        state = short_path / "var"
        yesterday = short_path / "yesterday.db"
        shutil.copyfile(state / "undercap.db", yesterday)
        await begun(stand)
        await stand.exchange(LINK, anna, second)
        await stopped(stand)
        today = short_path / "today.db"
        shutil.copyfile(state / "undercap.db", today)

        shutil.copyfile(yesterday, state / "undercap.db")
        await begun(stand)
        assert await stand.text(LINK, anna, first) != 0
        with pytest.raises(HarnessError, match="earlier time than Redis"):
            stand.gateway.cli("rebuild")
        with pytest.raises(HarnessError, match="put the later"):
            stand.gateway.cli("doctor")
        assert await stand.text(LINK, anna, first, to="5050") != 0x0B
        await stopped(stand)

        (state / "undercap.db").unlink()
        with pytest.raises(HarnessError, match="belongs to a ledger"):
            stand.gateway.cli("migrate")
        assert not (state / "undercap.db").exists()

        shutil.copyfile(today, state / "undercap.db")
        await begun(stand)
        await stand.gateway.until(stand.gateway.outboxes_empty, "texts wait")
        assert credits_of(stand) == 3
