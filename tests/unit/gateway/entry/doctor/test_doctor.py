"""What the doctor finds: one set-up a case."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from config import settings as settings_module
from config.ivr_settings import FreeNumber, IvrSettings
from config.link_settings import LinkSettings
from config.settings import HttpSettings, RedisSettings, Settings, SmppSettings
from gateway.entry.demo import environment
from gateway.entry.doctor import checks_here, checks_stores, findings
from gateway.entry.doctor import report as doctor
from gateway.entry.doctor.findings import Finding, Level
from gateway.entry.supervision import up_lock
from ivr.agi import probe
from ivr.agi.channel import Channel
from ivr.agi.faults import Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from tests.certificates import Authority, server_side, shaking_hands

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A private state directory."""
    directory = tmp_path / "var"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def taken_port(monkeypatch: pytest.MonkeyPatch) -> object:
    """A port on which somebody else listens, and never says a word: nobody waits long for it."""
    monkeypatch.setattr(checks_here, "CONNECT_WITHIN_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def on_port(state: Path, port: int) -> Finding:
    (found,) = checks_here.ports(Settings(state_dir=state, http=HttpSettings(port=port)))
    return found


def agi_port(state: Path, port: int) -> Finding:
    ivr = IvrSettings(
        enabled=True, agi_port=port, free_numbers=(FreeNumber(number="0800123456", short_number="4040"),)
    )
    _, found = checks_here.ports(Settings(state_dir=state, ivr=ivr, http=HttpSettings(port=0)))
    return found


def link_to(state: Path, port: int, **changes: Any) -> Finding:
    link = LinkSettings(name="one", host="127.0.0.1", port=port, system_id="x", **changes)
    (found,) = checks_here.links(Settings(state_dir=state, smpp=SmppSettings(links=(link,))))
    return found


@pytest.mark.parametrize(("mode", "level"), [(0o700, OK), (0o750, FAIL), (0o755, FAIL), (0o777, FAIL)])
def test_the_state_directory_is_private(state: Path, mode: int, level: Level) -> None:
    state.chmod(mode)
    found = checks_here.state_dir(Settings(state_dir=state))
    assert (found.level, found.mend) == (level, "" if level is OK else f"chmod 700 {state}")


def test_a_state_directory_to_come(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "var")
    assert [check(settings).level for check in (checks_here.state_dir, checks_here.secret)] == [WARN, WARN]
    assert checks_here.disk(settings).level is OK
    assert list(tmp_path.iterdir()) == []


def test_a_secret_open_to_others(state: Path) -> None:
    file = state / "master.secret"
    file.write_text("0f" * 32)
    file.chmod(0o644)
    found = checks_here.secret(Settings(state_dir=state))
    assert (found.level, found.mend) == (FAIL, f"chmod 600 {file}")
    assert "0f0f" not in found.told
    file.chmod(0o600)
    assert checks_here.secret(Settings(state_dir=state)).level is OK


def test_a_secret_that_is_lost(state: Path) -> None:
    with sqlite3.connect(state / "undercap.db") as database:
        database.execute("CREATE TABLE shopper (sealed BLOB)")
    found = checks_here.secret(Settings(state_dir=state))
    assert (found.level, found.mend) == (FAIL, "put it back from your backup")


@pytest.mark.parametrize(("free", "level"), [(10**12, OK), (500 * 1024**2, WARN), (50 * 1024**2, FAIL)])
def test_room_on_the_disk(state: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free}))
    assert checks_here.disk(Settings(state_dir=state)).level is level


def test_a_port_of_somebody_else(state: Path, taken_port: int) -> None:
    found = on_port(state, taken_port)
    assert (found.level, found.mend) == (FAIL, "stop what uses it, or change http.port")


def test_a_port_of_our_own_up(state: Path, taken_port: int) -> None:
    with up_lock.only_one(state, wait_s=0, tell=lambda _line: None):
        assert on_port(state, taken_port).level is OK
    assert on_port(state, taken_port).level is FAIL


async def test_our_own_agi_server_is_told_from_another_one(
    state: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def of_another(channel: Channel) -> None:
        await channel.noop("another")

    found = {}
    faults: list[Fault] = []
    for name, script in (("ours", probe.who), ("another's", of_another)):
        server = AgiServer({probe.ROUTE: script}, AgiLimits(most_calls=1, call_s=5.0), faults.append)
        port = await server.start("127.0.0.1", 0)
        found[name] = await asyncio.to_thread(agi_port, state, port)
        await server.stop(1.0)
    monkeypatch.setattr(probe, "_WITHIN_S", 0.2)
    found["silent"] = await asyncio.to_thread(agi_port, state, taken_port)
    found["free"] = agi_port(state, port)

    assert {name: finding.level for name, finding in found.items()} == {
        "ours": OK,
        "another's": FAIL,
        "silent": FAIL,
        "free": OK,
    }
    assert found["ours"].told.endswith("is served by us")
    assert found["another's"].mend == "stop what uses it, or change ivr.agi_port"
    assert faults == []


def test_a_free_port(state: Path) -> None:
    assert on_port(state, 0).level is OK


def test_links(state: Path, taken_port: int) -> None:
    assert link_to(state, taken_port).level is OK
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = link_to(state, port)
    assert (found.level, found.told) == (FAIL, f"127.0.0.1:{port} cannot be reached (Connection refused)")
    (none,) = checks_here.links(Settings(state_dir=state))
    assert none.level is WARN


@pytest.mark.parametrize(
    ("apart_s", "level"), [(0.0, OK), (0.9, OK), (-0.9, OK), (1.5, WARN), (-29.0, WARN), (31.0, FAIL)]
)
def test_clocks(apart_s: float, level: Level) -> None:
    assert checks_stores.skew(1000.0, 1000.0 + apart_s).level is level


def test_redis_that_does_not_answer(state: Path) -> None:
    (embedded,) = checks_stores.redis(Settings(state_dir=state))
    assert (embedded.level, embedded.mend) == (WARN, "`undercap up` starts it")
    own = RedisSettings(url="redis://127.0.0.1:1/0", timeout_s=1)
    (named,) = checks_stores.redis(Settings(state_dir=state, redis=own))
    assert (named.level, named.mend) == (FAIL, "start it, or mend redis.url")


def test_looking_for_a_database_makes_none(state: Path) -> None:
    assert checks_stores.database(Settings(state_dir=state)).level is WARN
    assert list(state.iterdir()) == []


def test_a_database_that_is_behind(state: Path) -> None:
    (state / "undercap.db").touch()
    found = checks_stores.database(Settings(state_dir=state))
    assert (found.level, found.mend) == (FAIL, "`undercap up` brings it up to date")


def test_faulty_settings_are_all_told_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERCAP_HTTP__PORT", "99999")
    monkeypatch.setenv("UNDERCAP_NOSUCH", "1")
    assert doctor.run() == 1
    shown = capsys.readouterr().out
    assert "UNDERCAP_NOSUCH" in shown
    assert "http.port" in shown
    assert "state directory" not in shown


def test_the_table_keeps_brackets_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    found = [findings.good("a", "list [x]"), findings.fail("b", "broken", "mend [smpp.links]")]
    findings.show(found, as_json=False)
    shown = capsys.readouterr().out
    assert "list [x]" in shown
    assert "mend [smpp.links]" in shown
    assert shown.endswith("1 to mend.\n")
    findings.show(found, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["to_mend"] == 1
    assert told["findings"][1] == {
        "level": "fail",
        "check": "b",
        "found": "broken",
        "mend": "mend [smpp.links]",
    }


def test_a_link_over_tls_is_shaken_hands_with(state: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with shaking_hands(server_side(authority.identity("127.0.0.1"))) as port:
        trusted = link_to(state, port, tls=True, tls_ca_file=authority.file)
        unknown = link_to(state, port, tls=True)
    assert (trusted.level, trusted.told) == (OK, f"127.0.0.1:{port} answers over TLS")
    assert unknown.level is FAIL
    assert "TLS fails (unable to get local issuer certificate)" in unknown.told
    assert "tls_ca_file" in unknown.mend


def test_beside_a_demo_it_looks_at_the_demos_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as there:
        there.setenv("UNDERCAP_SIMULATOR__ENABLED", "true")
        there.setenv("UNDERCAP_STATE_DIR", str(tmp_path))
        environment.keep(settings_module.load())
    monkeypatch.setenv("UNDERCAP_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(doctor, "CHECKS", (checks_here.links,))
    assert [found.name for found in doctor.examine()] == ["settings", "link simulator"]
