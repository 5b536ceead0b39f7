"""Callers who hang up at each step, on a real Asterisk: what was begun is done; the record is right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ivr.talk import service
from ivr.talk.steps import CallEnd
from tests.integration.ivr.ami import channels, until
from tests.integration.ivr.callers_desk import FakeDesk
from tests.integration.ivr.listening import Exchange, Telephone, exchange
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import samples
from tests.peers.sipp import Caller, Dial

CODE = "123"
GREETING, ALIAS, MENU, IN_CODE, WISH, KEYED = (f"38067000003{at}" for at in range(6))
OPENED = ("look_up", "text_alias")


async def test_a_hang_up_at_each_step_of_a_real_call(
    asterisk_program: AsteriskProgram, brisk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WITHIN_S", 60.0)
    slow = asyncio.Event()
    desk = FakeDesk(waits={"stop": slow, "activate": slow})
    async with exchange(asterisk_program, brisk, desk=desk) as line:
        await asyncio.gather(
            _in_what_is_said(line, GREETING, "pause"),
            _in_what_is_said(line, ALIAS, "alias_is"),
            _in_the_menu(line),
            _in_a_code(line),
            _in_a_wish(line, WISH, "9"),
            _in_a_wish(line, KEYED, "3", f"{CODE}#"),
        )
        await channels(line.asterisk, lambda count: count == 0)
        assert {step[0] for step in desk.done} == {"language", "alias", "text_alias"}  # the wishes wait
        slow.set()
        records = [await line.record() for _ in range(6)]
        await until(lambda: line.server.calls == 0)

    assert sorted(step for step in desk.done if step[0] in desk.waits) == [
        ("activate", KEYED, "4040", CODE, "uk"),
        ("stop", WISH, "4040", "uk"),
    ]
    assert {(record.end, record.fault) for record in records} == {(CallEnd.HUNG_UP, None)}
    assert sorted((record.keys, record.services) for record in records) == [
        *[("", OPENED)] * 2,
        ("0", OPENED),
        ("3", OPENED),
        ("3", (*OPENED, "activate")),
        ("9", (*OPENED, "stop")),
    ]
    assert all(record.answered_at and record.answered_at <= record.ended_at for record in records)
    assert line.faults == []


async def _in_what_is_said(line: Exchange, number: str, up_to: str) -> None:
    """A tenth of a second after a sound of the greeting's list was over."""
    async with line.call(Dial(number=number)) as phone:
        files, before = await phone.told("greeting", "alias_is", "menu")
        last = next(at for at, file in enumerate(files) if file.endswith(f"/{up_to}"))
        played = sum(len(samples(Path(f"{file}.wav"))) for file in files[: last + 1])
        await phone.has_heard(before + played + 800)
        await _hangs_up(phone)
        assert phone.begun.empty()  # of the greeting's own list, before its menu


async def _in_the_menu(line: Exchange) -> None:
    async with line.call(Dial(number=MENU)) as phone:
        await phone.told("greeting", "menu")
        await phone.line.press("0")
        await phone.hears("help")
        await _hangs_up(phone)


async def _in_a_code(line: Exchange) -> None:
    async with line.call(Dial(number=IN_CODE)) as phone:
        await phone.told("greeting", "menu")
        await phone.key("3", "enter_code")
        await phone.line.press("1234")
        await _hangs_up(phone)


async def _in_a_wish(line: Exchange, number: str, *keys: str) -> None:
    """While the caller is asked for a moment."""
    async with line.call(Dial(number=number)) as phone:
        await phone.told("greeting", "menu")
        for key in keys[:-1]:
            await phone.key(key, "enter_code")
        await phone.key(keys[-1], "moment")
        await _hangs_up(phone)


async def _hangs_up(phone: Telephone[Caller]) -> None:
    await phone.line.hang_up()
    count = await phone.line.ended()
    assert (count.successful, count.failed) == (1, 0), count.told
