"""What `up --demo` does about the free number: whether it is offered, and what the processes are told."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from config import settings as settings_module
from config.demo_settings import DemoSettings
from config.ivr_settings import FreeNumber, IvrSettings
from config.settings import Settings
from gateway.entry.demo import calls
from gateway.entry.process.process import SetupFaultError
from gateway.entry.processes import asterisk as asterisk_process
from tests.peers import fetch
from tests.peers.fetch import AsteriskProgram
from tests.peers.smsc import Program


@pytest.fixture
def tmp_path(short_path: Path) -> Path:
    """A short one: below it is the socket of the demo's Asterisk."""
    return short_path


OWN = IvrSettings(enabled=True, free_numbers=(FreeNumber(number="0800", short_number="4040"),))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put into the environment is gone after the test."""
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if "UNDERCAP_" not in k})


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH; all three programs are in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("asterisk", "espeak-ng", "sox"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.usefixtures("programs")
def test_with_the_programs_the_processes_are_told_all_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    calls.offer(settings_module.load())
    told = settings_module.load()
    assert told.ivr.enabled
    assert [(free.number, free.short_number) for free in told.ivr.free_numbers] == [("0800500040", "4040")]
    assert told.ivr.sounds_dir == tmp_path / "var" / "sounds"
    assert len(told.ivr.ami.secret.get_secret_value()) == 32
    ports = {told.demo.sip_port, told.demo.handset_port, told.ivr.agi_port, told.ivr.ami.port, 0}
    assert len(ports) == 5
    assert (told.ivr.dial, told.ivr.trunk, told.ivr.caller_number) == (True, "trunk", "0800500040")


@pytest.mark.parametrize("absent", ["asterisk", "espeak-ng", "sox"])
def test_without_one_of_them_everything_else_is_as_ever(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (programs / absent).unlink()
    before = dict(os.environ)
    calls.offer(settings_module.load())
    assert dict(os.environ) == before
    assert absent in calls.lacking(settings_module.load())


@pytest.mark.usefixtures("programs")
def test_an_asterisk_of_the_operators_own_is_left_alone(tmp_path: Path) -> None:
    before = dict(os.environ)
    calls.offer(Settings(state_dir=tmp_path, ivr=OWN))
    assert dict(os.environ) == before


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("state", "why"),
    [
        pytest.param("with space", "only letters", id="Asterisk could not be told of it"),
        pytest.param("x" * 80, "shorter", id="too long for a socket"),
    ],
)
def test_a_state_directory_that_asterisk_cannot_use_is_told(tmp_path: Path, state: str, why: str) -> None:
    assert why in calls.lacking(Settings(state_dir=tmp_path / state))


@pytest.mark.parametrize("command", ["", "   ", "asterisk 'open"])
def test_a_command_that_names_no_program_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match=r"names no program|quot"):
        DemoSettings(asterisk=command)


def test_make_run_finds_what_make_peers_has_fetched(tmp_path: Path) -> None:
    odd = Path("/peers of #1/$HOME")
    command = ("ld.so", "a b")
    asterisk = AsteriskProgram(name="A", version="1", argv=command, root=odd, modules=odd / "modules")
    espeak, sox = (Program(name=name, version="1", argv=(name,)) for name in ("espeak-ng", "sox"))
    told = fetch.for_the_demo(asterisk, espeak, sox)
    (tmp_path / "demo.mk").write_text(told, encoding="utf-8")
    (tmp_path / "Makefile").write_text("include demo.mk\nrun:\n\t@env\n", encoding="utf-8")
    shown = subprocess.run(
        ["make", "-s", "run"],
        cwd=tmp_path,
        env=os.environ | {"UNDERCAP_DEMO__SOX": "mine"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "UNDERCAP_DEMO__ASTERISK=ld.so 'a b'" in shown
    assert f"UNDERCAP_DEMO__ASTERISK_MODULES={odd}/modules" in shown
    assert f"UNDERCAP_DEMO__ASTERISK_DATA={odd}/usr/share/asterisk" in shown
    assert "UNDERCAP_DEMO__SOX=mine" in shown


async def test_a_port_without_an_asterisk_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = Settings(state_dir=tmp_path, demo=DemoSettings(sip_port=5070))
    with pytest.raises(SetupFaultError, match=r"demo\.sip_port: To call .* `make peers`"):
        await asterisk_process._main(settings, asyncio.Event())
