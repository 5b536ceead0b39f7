"""`undercap ivr` as it runs: real Asterisk and callers, Valkey and SQL, and each of them lost in mid call."""

from __future__ import annotations

import asyncio
import csv
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config import settings as settings_module
from gateway.entry.doctor import checks_processes
from gateway.store.redis import keys
from gateway.store.sql import migrate
from gateway.store.vault import master_secret
from ivr.agi import probe
from tests import databases
from tests.conftest import any_asterisk, sipp_program
from tests.databases import Databases
from tests.harness import VALKEY, Gateway, link_table
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace, free_port
from tests.peers.hearing import likeness, samples
from tests.peers.sipp import Caller, Dial, calling

ALIKE = 0.9
RATE = 8000
AMI_SECRET = "a secret of the manager's user"
FREE_NUMBER = "0800123456"
NUMBER = "380671234567"
READ_METRICS = """
import sys
from pathlib import Path
from gateway.store.telemetry.metrics import exposition

print(exposition(Path(sys.argv[1])).decode())
"""
pytestmark = pytest.mark.asyncio(loop_scope="module")
DIAL = Dial(number=NUMBER, called=FREE_NUMBER)


@dataclass
class House:
    """The process, what it stands on, and the Asterisk before it."""

    gateway: Gateway
    asterisk: Asterisk
    code: str
    before: int = 0  # what the log held before this call
    calls_before: int = 0

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Caller]:
        """One call."""
        self.before = len(self.asterisk.log)
        async with calling(sipp_program(), self.asterisk.sip_port, DIAL) as caller:
            yield caller

    async def plays(self, name: str) -> None:
        """Until Asterisk has begun to play a prompt in this call."""
        await self.gateway.until(lambda: self.played(name), f"{name} is not played")

    def played(self, name: str) -> bool:
        """Whether Asterisk has begun to play a prompt in this call."""
        return f"/{name}." in self.asterisk.log[self.before :]

    async def line(self) -> dict[str, Any]:
        """The canonical line of this call."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            told = (self.gateway.state / "ivr.log").read_text().splitlines()
            calls = [json.loads(line) for line in told if '"event":"call"' in line]
            found[:] = calls[self.calls_before :]
            return bool(found)

        await self.gateway.until(look, "no line tells of the call")
        self.calls_before += 1
        return found[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    tmp_path_factory: pytest.TempPathFactory,
    database: Databases,  # noqa: ARG001 - its gateway is on this one
    brisk: Path,
) -> AsyncIterator[House]:
    """Everything runs: a campaign with one code, and no SMSC behind its link. One for all tests here."""
    port, ami_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    ivr = {
        "enabled": True,
        "agi_port": port,
        "free_numbers": [{"number": FREE_NUMBER, "short_number": "4040"}],
        "sounds_dir": str(brisk),
        "key_wait_s": 1.0,
        "ami": {"port": ami_port, "secret": AMI_SECRET, "ping_s": 0.3, "reconnect_max_s": 0.5},
    }
    gateway = Gateway(
        state=tmp_path_factory.mktemp("ivr") / "gateway", links=[link_table(1)], settings={"ivr": ivr}
    )
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
        await gateway.until(lambda: _listens(gateway), "the IVR process does not listen")
        place = AsteriskPlace(agi_port=port, sounds=brisk)
        async with running(any_asterisk(), place, ami_port=ami_port, secret=AMI_SECRET) as asterisk:
            yield House(gateway, asterisk, code)
    finally:
        gateway.close()


def _listens(gateway: Gateway, times: int = 1) -> bool:
    """Whether the process, started so many times, takes calls."""
    return (gateway.state / "ivr.log").read_text().count("FastAGI: agi://") == times


async def test_a_call_ends_to_end(house: House) -> None:
    async with house.call() as caller:
        await house.plays("greeting")
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
    line = await house.line()
    assert (line["outcome"], line["caller"], line["language"]) == ("hung_up", "known", "uk")
    assert line["services"] == "look_up text_alias activate balance stop"
    assert house.gateway.sql("select count(*) from shopper") == [(1,)]
    everything = (house.gateway.state / "ivr.log").read_text()
    assert NUMBER not in everything
    assert house.code not in everything


async def test_without_redis_the_alias_is_told_and_a_code_stays_good(house: House) -> None:
    house.gateway.kill(VALKEY)
    async with house.call() as caller:
        await house.plays("alias_is")
        await caller.press("3")
        await house.plays("enter_code")
        await caller.press(f"{house.code}#")
        await house.plays("code_not_now")
        await caller.hang_up()
        await caller.ended()
    assert (await house.line())["outcome"] == "hung_up"
    house.gateway.start(VALKEY)
    await house.gateway.until(house.gateway.answers, "valkey does not answer")


async def test_without_sql_the_alias_comes_by_sms(house: House) -> None:
    with databases.write_locked(settings_module.load(house.gateway.config).sql_url):
        async with house.call() as caller:
            await house.plays("alias_by_sms")
            await caller.hang_up()
            await caller.ended()
    assert not house.played("alias_is")
    assert (await house.line())["services"] == "look_up text_alias"
    assert not house.gateway.outboxes_empty()  # the wish waits there


async def test_a_caller_in_mid_call_hears_an_apology_when_the_process_dies(house: House) -> None:
    async with house.call() as caller:
        await house.plays("greeting")
        await caller.press("0")
        await house.plays("help")
        assert house.gateway.kill("ivr")
        count = await caller.ended()
    assert (count.successful, count.failed) == (1, 0), count.told
    apology = samples(house.asterisk.sounds / "uk" / "sorry.wav")
    assert likeness(caller.heard[-len(apology) - 2 * RATE :], apology) >= ALIKE
    house.gateway.start("ivr")
    await house.gateway.until(lambda: _listens(house.gateway, 2), "the IVR process does not listen again")
    lost = await house.line()
    assert (lost["outcome"], lost["keys"], lost["services"]) == ("lost", "", "look_up text_alias")
    outcomes = "select outcome, count(*) from call_record group by outcome order by outcome"
    recorded = [("hung_up", 3), ("lost", 1)]
    await house.gateway.until(lambda: house.gateway.sql(outcomes) == recorded, "a call is not recorded")
    assert "hung_up 3, lost 1" in house.gateway.cli("ivr", "calls")
    async with house.call() as caller:
        await house.plays("greeting")
        await caller.hang_up()
        await caller.ended()
    assert (await house.line())["outcome"] == "hung_up"


async def test_an_asterisk_that_is_gone_is_noticed_though_nobody_dials(house: House) -> None:
    await _shows(house, 1.0, "ok 1 processes")
    await house.asterisk.kill()
    await _shows(house, 0.0, "fail Asterisk's manager interface: ")
    await house.asterisk.start()
    await _shows(house, 1.0, "ok 1 processes")


async def _shows(house: House, up: float, calls: str) -> None:
    """Until metrics and doctor say so of Asterisk."""
    metrics = house.gateway.state / "var" / "metrics"
    async with asyncio.timeout(30):
        while f"undercap_ami_up {up}" not in _metrics(metrics):  # noqa: ASYNC110 - what another program does
            await asyncio.sleep(0.1)
        while not (await asyncio.to_thread(_doctors_calls, house)).startswith(calls):  # noqa: ASYNC110 - so too
            await asyncio.sleep(0.1)


def _doctors_calls(house: House) -> str:
    """The doctor's line of calls, while the other processes tell that they live."""
    with closing(house.gateway.redis()) as redis:
        redis.set(keys.status("worker"), '{"ledger": ""}')
    found = checks_processes.processes(settings_module.load(house.gateway.config))
    return next(f"{one.level} {one.told}" for one in found if one.name == "calls")


async def test_what_can_happen_is_measured_before_it_does(house: House) -> None:
    told = _metrics(house.gateway.state / "var" / "metrics")
    assert 'undercap_calls_total{caller="withheld",language="kk",outcome="time_up"} 0.0' in told
    assert 'undercap_agi_faults_total{cause="crowded"} 0.0' in told
    assert "undercap_ami_logins_refused_total 0.0" in told
    assert any(line.startswith('process_open_fds{process="ivr"} ') for line in told)


async def test_the_doctor_knows_the_process_by_its_port(house: House) -> None:
    settings = settings_module.load(house.gateway.config)
    agi = (settings.ivr.agi_host, settings.ivr.agi_port)
    assert await asyncio.to_thread(probe.is_ours, *agi)


async def test_it_stops_in_time_and_what_it_counted_stays(house: House) -> None:
    assert (await house.gateway.stop())["ivr"] == 0
    told = _metrics(house.gateway.state / "var" / "metrics")
    ended = 'undercap_calls_total{caller="known",language="uk",outcome="hung_up"} 4.0'
    lost = 'undercap_calls_total{caller="known",language="uk",outcome="lost"} 1.0'
    assert {ended, lost, 'undercap_call_keys_total{key="9"} 1.0'} <= set(told)
    assert list((house.gateway.state / "var" / "calls").glob("*.rows")) == []
    assert any(line.startswith("undercap_call_seconds_total ") for line in told)


def _metrics(directory: Path) -> list[str]:
    """What a scrape would get; read by a process of its own, as prometheus-client wants it."""
    argv = [sys.executable, "-c", READ_METRICS, str(directory)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
