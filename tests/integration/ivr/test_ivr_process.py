"""`undercap ivr` as it runs: real Asterisk and callers, Valkey and SQL, and each of them lost in mid call."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.store import master_secret, migrate
from tests.conftest import any_asterisk, sipp_program
from tests.harness import VALKEY, Gateway, link_table
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace
from tests.peers.hearing import likeness, samples
from tests.peers.sipp import Caller, Dial, calling

ALIKE = 0.9
RATE = 8000
FREE_NUMBER = "0800123456"
NUMBER = "380671234567"
DIAL = Dial(number=NUMBER, called=FREE_NUMBER)


@dataclass
class House:
    """The process, what it stands on, and the Asterisk before it."""

    gateway: Gateway
    asterisk: Asterisk
    code: str

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Caller]:
        """One call."""
        async with calling(sipp_program(), self.asterisk.sip_port, DIAL) as caller:
            yield caller

    async def plays(self, name: str, times: int = 1) -> None:
        """Until Asterisk has begun to play a prompt so many times."""
        await self.gateway.until(lambda: self.played(name) >= times, f"{name} is not played")

    def played(self, name: str) -> int:
        """How many times Asterisk has begun to play a prompt."""
        return self.asterisk.log.count(f"/{name}.")

    async def lines(self, count: int) -> list[dict[str, Any]]:
        """The canonical lines of so many calls."""
        log = self.gateway.state / "ivr.log"

        def found() -> list[dict[str, Any]]:
            told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
            return [line for line in told if line["event"] == "call"]

        await self.gateway.until(lambda: len(found()) >= count, "no line tells of the call")
        return found()


@pytest.fixture
async def house(tmp_path: Path, brisk: Path) -> AsyncIterator[House]:
    """Everything runs: a campaign with one code, and no SMSC behind its link."""
    ivr = {
        "enabled": True,
        "agi_port": 0,
        "free_numbers": [{"number": FREE_NUMBER, "short_number": "4040"}],
        "sounds_dir": str(brisk),
        "key_wait_s": 1.0,
    }
    gateway = Gateway(state=tmp_path / "gateway", links=[link_table(1)], settings={"ivr": ivr})
    settings = gateway.write_config()
    settings.state_dir.mkdir(mode=0o700)
    master_secret.load_or_make(settings)
    migrate.upgrade(settings.sql_url)
    try:
        gateway.start(VALKEY)
        await gateway.until(gateway.answers, "valkey does not answer")
        with gateway.codes(gateway.campaign(), 1).open(newline="") as file:
            code = next(csv.DictReader(file))["code"].replace("-", "")
        gateway.start("ivr")
        place = AsteriskPlace(agi_port=await _port(gateway), sounds=brisk)
        async with running(any_asterisk(), place) as asterisk:
            yield House(gateway, asterisk, code)
    finally:
        gateway.close()


async def _port(gateway: Gateway) -> int:
    """Where it listens, as it says."""
    log = gateway.state / "ivr.log"
    await gateway.until(lambda: "FastAGI: agi://" in log.read_text(), "the IVR process does not listen")
    said = next(line for line in log.read_text().splitlines() if line.startswith("FastAGI: "))
    return int(said.rpartition(":")[2])


async def test_a_call_ends_to_end(house: House) -> None:
    async with house.call() as caller:
        await house.plays("menu")
        await caller.press("3")
        await house.plays("enter_code")
        await caller.press(f"{house.code}#")
        await house.plays("activated")
        await caller.press("4")
        await house.plays("balance_is")
        await caller.press("9")
        await house.plays("no_more_offers")
        await caller.hang_up()
        await caller.ended()
    line = (await house.lines(1))[0]
    assert (line["outcome"], line["caller"], line["language"]) == ("hung_up", "known", "uk")
    assert line["services"] == "look_up text_alias activate balance stop"
    assert house.gateway.sql("select count(*) from shopper") == [(1,)]
    everything = (house.gateway.state / "ivr.log").read_text()
    assert NUMBER not in everything
    assert house.code not in everything
    assert (await house.gateway.stop())["ivr"] == 0


async def test_a_caller_in_mid_call_hears_an_apology_when_the_process_dies(house: House) -> None:
    async with house.call() as caller:
        await house.plays("menu")
        assert house.gateway.kill("ivr")
        count = await caller.ended()
    assert (count.successful, count.failed) == (1, 0), count.told
    assert _heard_sorry(house, caller)


async def test_without_redis_the_alias_is_told_and_a_code_stays_good(house: House) -> None:
    house.gateway.kill(VALKEY)
    async with house.call() as caller:
        await house.plays("alias_is")
        await house.plays("menu")
        assert house.played("sent_by_sms") == 0
        await caller.press("3")
        await house.plays("enter_code")
        await caller.press(f"{house.code}#")
        await house.plays("code_not_now")
        await caller.hang_up()
        await caller.ended()
    assert (await house.lines(1))[0]["outcome"] == "hung_up"


async def test_without_sql_the_alias_comes_by_sms(house: House) -> None:
    database = house.gateway.state / "var" / "undercap.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as hog:
        hog.execute("begin exclusive")
        async with house.call() as caller:
            await house.plays("alias_by_sms")
            await caller.hang_up()
            await caller.ended()
        hog.execute("rollback")
    assert house.played("alias_is") == 0
    assert not house.gateway.outboxes_empty()  # the wish waits there


def _heard_sorry(house: House, caller: Caller) -> bool:
    apology = samples(house.asterisk.sounds / "uk" / "sorry.wav")
    return likeness(caller.heard[-len(apology) - 2 * RATE :], apology) >= ALIKE
