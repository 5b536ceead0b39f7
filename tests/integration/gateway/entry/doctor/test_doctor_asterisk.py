"""The doctor on each real Asterisk: nothing to mend where it is as we ask, and each fault is found."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

from config import asterisk as asterisk_files
from config import prompts
from config.ivr_settings import AmiSettings, FreeNumber, IvrSettings
from config.settings import Settings
from config.texts import LANGUAGES
from gateway.entry.doctor.checks_asterisk import asterisk as check
from gateway.entry.doctor.findings import Finding, Level
from tests.conftest import any_asterisk
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, Edit, free_port
from tests.peers.fetch import AsteriskProgram

CHECKED: Final = {
    f"Asterisk{part}"
    for part in (
        "",
        " rights",
        " calls",
        " filter",
        " call",
        " version",
        " modules",
        " globals",
        " sounds",
        " endings",
    )
}


@pytest.fixture(scope="module")
def prompt_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All prompts, some as a studio may deliver them."""
    folder = tmp_path_factory.mktemp("prompts")
    for language in LANGUAGES:
        (folder / language).mkdir()
        for at, name in enumerate((*prompts.load(language), prompts.PAUSE)):
            (folder / language / f"{name}.{'wav' if at % 2 else 'gsm'}").touch()
    return folder


@asynccontextmanager
async def placed(
    program: AsteriskProgram, sounds: Path, *edits: Edit, **place: Any
) -> AsyncIterator[tuple[Asterisk, IvrSettings]]:
    """An Asterisk, and the settings that fit it."""
    port = free_port(socket.SOCK_STREAM)
    async with running(
        program, AsteriskPlace(agi_port=port, sounds=sounds, edits=edits, **place)
    ) as asterisk:
        ivr = IvrSettings(
            enabled=True,
            agi_port=port,
            free_numbers=(FreeNumber(number="0800123456", short_number="4040"),),
            dial=True,
            trunk=TRUNK,
            sounds_dir=sounds,
            ami=AmiSettings(port=asterisk.ami_port, secret=SecretStr(asterisk.secret), answer_timeout_s=3),
        )
        yield asterisk, ivr


async def found(ivr: IvrSettings) -> dict[str, Finding]:
    """What the doctor finds, in a thread: it has a loop of its own."""
    settings = Settings(ivr=ivr)
    return {finding.name: finding for finding in await asyncio.to_thread(lambda: list(check(settings)))}


async def test_nothing_to_mend_with_our_files(asterisk_program: AsteriskProgram, prompt_files: Path) -> None:
    async with placed(asterisk_program, prompt_files) as (asterisk, ivr):
        findings = await found(ivr)
        assert await asterisk.channels() == 0
    assert {
        finding.name: finding.told for finding in findings.values() if finding.level is not Level.OK
    } == {}
    assert set(findings) == CHECKED
    assert findings["Asterisk version"].told == asterisk_program.version


def without(module: str) -> Edit:
    return Edit(file="modules.conf", old=f"load = {module}\n", new="")


FAULTS: Final = {
    "a filter that anything passes": (
        "filter",
        Level.FAIL,
        Edit(file="manager.conf", old="eventfilter = ^Event", new=";eventfilter = ^Event"),
        "events came through",
    ),
    "a filter that looks anywhere": (
        "filter",
        Level.FAIL,
        Edit(
            file="manager.conf",
            old="= ^Event: (OriginateResponse|Hangup)[[:space:]]",
            new="= (OriginateResponse|Hangup)",
        ),
        "events came through",
    ),
    "too many rights": (
        "rights",
        Level.FAIL,
        Edit(
            file="manager.conf",
            old="write = originate",
            new="write = originate,command,system,config,reporting",
        ),
        "our user may also: command, config, system, reporting",
    ),
    "a call that rings cannot be hung up": (
        "calls",
        Level.FAIL,
        Edit(file="manager.conf", old="write = originate,call", new="write = originate"),
        "our user may not hang up",
    ),
    "no dialplan": (
        "call",
        Level.FAIL,
        Edit(file="extensions.conf", old="[undercap-check]", new="[other]"),
        "Asterisk makes no call: Extension does not exist.",
    ),
    "nobody notes who has refused": (
        "endings",
        Level.WARN,
        Edit(file="extensions.conf", old="[undercap-gone]", new="[other]"),
        "cannot be told from a callee who declines",
    ),
    "no way to us": (
        "call",
        Level.FAIL,
        Edit(file="extensions.conf", old="AGI(agi://${UNDERCAP_AGI}/check)", new="Wait(1)"),
        "does not reach us",
    ),
    "a module that talks need": ("modules", Level.FAIL, without("app_read.so"), "app_read.so"),
    "a module that we only recommend": (
        "modules",
        Level.WARN,
        without("res_pjsip_diversion.so"),
        "res_pjsip_diversion.so",
    ),
    "no way to ask for modules": ("modules", Level.WARN, without("func_module.so"), "cannot be asked"),
}


@pytest.mark.parametrize(("name", "level", "edit", "told"), FAULTS.values(), ids=list(FAULTS))
async def test_a_fault_is_found(prompt_files: Path, name: str, level: Level, edit: Edit, told: str) -> None:
    async with placed(any_asterisk(), prompt_files, edit) as (_, ivr):
        finding = (await found(ivr))[f"Asterisk {name}"]
    assert finding.level is level
    assert told in finding.told
    assert finding.mend


async def test_settings_that_say_otherwise(prompt_files: Path, tmp_path: Path) -> None:
    async with placed(any_asterisk(), prompt_files) as (_, ivr):
        other_port = await found(ivr.model_copy(update={"agi_port": 1}))
        other_place = await found(ivr.model_copy(update={"sounds_dir": tmp_path}))
        fewer = await found(ivr.model_copy(update={"most_calls": 10, "offer_channels": 10}))
        (apology,) = (prompt_files / "kk").glob("sorry.*")
        hidden = apology.rename(apology.with_suffix(".txt"))
        silent = await found(ivr)
        hidden.rename(apology)
    assert "UNDERCAP_AGI is" in other_port["Asterisk globals"].told
    assert "UNDERCAP_SOUNDS is" in other_place["Asterisk globals"].told
    assert "UNDERCAP_MOST_CALLS is 1000" in fewer["Asterisk globals"].told
    assert silent["Asterisk sounds"].told == "Asterisk does not find kk/sorry"
    assert {f["Asterisk globals"].level for f in (other_port, other_place, fewer)} == {Level.FAIL}


async def test_an_asterisk_that_refuses_us_or_is_away(prompt_files: Path) -> None:
    async with placed(any_asterisk(), prompt_files) as (asterisk, ivr):
        wrong = ivr.ami.model_copy(update={"secret": SecretStr("no")})
        refused = await found(ivr.model_copy(update={"ami": wrong}))
        await asterisk.stop()
        away = await found(ivr)
    assert set(refused) == set(away) == {"Asterisk"}
    assert "refuses our user: Authentication failed" in refused["Asterisk"].told
    assert "start Asterisk" in away["Asterisk"].mend
    assert str(Path(asterisk_files.__file__).parent / "README.md") in away["Asterisk"].mend


async def test_an_address_that_is_not_ours(prompt_files: Path) -> None:
    async with placed(any_asterisk(), prompt_files) as (_, ivr):
        findings = await found(ivr.model_copy(update={"agi_host": "192.0.2.1"}))
    assert "must be an address of this machine" in findings["Asterisk call"].mend


def test_nothing_is_asked_where_no_calls_are_taken() -> None:
    assert list(check(Settings())) == []
