"""The talk with real callers on a real Asterisk: they hear what the script says, and their keys count."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from ivr.agi.faults import Fault
from ivr.talk.caller import Sight
from ivr.talk.steps import CallEnd
from tests.conftest import any_asterisk
from tests.integration.ivr.callers_desk import FakeDesk
from tests.integration.ivr.listening import ALIKE, RATE, Exchange, exchange
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import likeness, samples
from tests.peers.sipp import Dial, KeyBy

CODE = "1234567890123"
SERVICES = ["text_alias", "language", "alias", "activate", "balance", "agree", "stop", "choose_language"]
WITHHELD = Dial(
    number="anonymous", headers=("P-Asserted-Identity: <sip:380670000012@127.0.0.1>", "Privacy: id")
)


async def test_the_alias_is_heard_in_its_groups(spoken: Path) -> None:
    async with exchange(any_asterisk(), spoken) as line, line.call(Dial(number="380670000007")) as phone:
        said = await phone.hears("greeting", "alias_is", "once_more")
        await phone.line.hang_up()
        await phone.line.ended()
    groups = "".join(name.removeprefix("n") for name in said if name[1:].isdigit() or name == "pause")
    assert groups.split("pause") == ["", "123", "456", "789", ""]  # and once more: see test_script.py
    phone.was_right()


async def _presses_every_key(line: Exchange, dial: Dial) -> None:
    """Each prompt is broken off by the next key; the answers to a code and to the end are heard out."""
    async with line.call(dial) as phone:
        await phone.told("greeting", "alias_is", "sent_by_sms", "menu")
        await phone.key("1", "once_more", "menu")
        await phone.key("2", "sent_already", "menu")
        await phone.key("3", "enter_code")
        await phone.line.press(f"{CODE}#")
        await phone.hears("activated", "n10")
        await phone.key("4", "balance_is", "thousand_one", "n200", "n30", "n4", "menu")
        await phone.key("0", "help", "menu")
        await phone.key("7", "consent_question")
        await phone.key("1", "consent_given", "menu")
        await phone.key("9", "no_more_offers", "menu")
        await phone.key("8", "uk/choose", "en/choose")
        await phone.key("4", "en/language_set", "en/menu")
        await phone.line.hang_up()
        count = await phone.line.ended()
    assert (count.successful, count.failed) == (1, 0), count.told
    phone.was_right()


async def test_every_key_of_the_menu_by_rfc_4733_and_by_info(
    asterisk_program: AsteriskProgram, brisk: Path
) -> None:
    dials = [Dial(number=f"38067000000{at}", key_by=by) for at, by in enumerate(KeyBy)]
    async with exchange(asterisk_program, brisk) as line:
        await asyncio.gather(*(_presses_every_key(line, dial) for dial in dials))
        records = [await line.record() for _ in dials]
    for dial in dials:
        mine = [step for step in line.desk.done if step[1] == dial.number]
        assert [step[0] for step in mine[2:]] == SERVICES
        assert ("activate", dial.number, "4040", CODE, "uk") in mine
    assert [(record.keys, record.end) for record in records] == [("0112344789", CallEnd.HUNG_UP)] * 2
    assert line.faults == []


async def test_callers_of_all_kinds_on_one_line(brisk: Path) -> None:
    async with exchange(any_asterisk(), brisk) as line:
        await asyncio.gather(
            _is_told(line, Dial(number="anonymous"), "uk/unknown_caller", seen_as="unknown"),
            _is_told(line, WITHHELD, "uk/withheld", seen_as="380670000012"),
            _is_told(line, Dial(number="4949"), "uk/unknown_caller"),
            _is_told(line, Dial(number="491711234567"), "en/foreign"),
            _speaks_kazakh(line),
            _is_silent(line),
            _hangs_up_in_a_code(line),
        )
        records = [await line.record() for _ in range(7)]
    told_instead = {record.sight for record in records if record.end is CallEnd.INSTEAD}
    assert told_instead == {Sight.UNKNOWN, Sight.WITHHELD, Sight.MALFORMED, Sight.FOREIGN}
    assert {step[1] for step in line.desk.done} == {"77010000001", "380670000021", "380670000022"}
    assert line.faults == []


async def _is_told(line: Exchange, dial: Dial, why: str, *, seen_as: str | None = None) -> None:
    """What to do instead, with the digits of the short number."""
    async with line.call(dial, seen_as=seen_as) as phone:
        said = await phone.hears("greeting", why, "instead", "n0")
        assert "".join(name[1:] for name in said if name[1:].isdigit()) == "4040"
        count = await phone.line.ended()
    assert (count.successful, count.failed) == (1, 0), count.told
    phone.expected = [
        sound for sound in phone.expected if sound[0].endswith(why)
    ]  # the digits are heard above
    phone.was_right()


async def _speaks_kazakh(line: Exchange) -> None:
    async with line.call(Dial(number="77010000001")) as phone:
        await phone.hears("kk/greeting")
        await phone.line.hang_up()
        await phone.line.ended()
    phone.was_right()


async def _is_silent(line: Exchange) -> None:
    async with line.call(Dial(number="380670000021")) as phone:
        await phone.told("greeting", "menu")
        await phone.key("5", "wrong_key")
        await phone.told("not_heard")
        await phone.told("goodbye")
        count = await phone.line.ended()
    assert (count.successful, count.failed) == (1, 0), count.told


async def _hangs_up_in_a_code(line: Exchange) -> None:
    async with line.call(Dial(number="380670000022")) as phone:
        await phone.told("greeting", "menu")
        await phone.key("3", "enter_code")
        await phone.line.press("1234")
        await phone.line.hang_up()
        count = await phone.line.ended()
    assert (count.successful, count.failed) == (1, 0), count.told


async def test_a_hang_up_before_the_answer_leaves_nothing_behind(brisk: Path) -> None:
    slow = asyncio.Event()
    async with exchange(any_asterisk(), brisk, desk=FakeDesk(waits={"alias": slow})) as line:
        async with line.call(Dial(number="380670000007")) as phone:
            await line.desk.asked.wait()
            await phone.line.hang_up()
            await phone.line.ended()
        slow.set()
        record = await line.record()
        assert await line.asterisk.channels() == 0
    assert (record.end, record.answered_at) == (CallEnd.HUNG_UP, None)
    assert "text_alias" not in {step[0] for step in line.desk.done}


async def test_a_crowd_that_asterisk_lets_in_hears_an_apology_at_once(brisk: Path) -> None:
    """One call is all that we take. Asterisk's own limit and its busy message: see test_dialplan.py."""
    async with (
        exchange(any_asterisk(), brisk, most_calls=1) as line,
        line.call(Dial(number="380670000007")) as inside,
    ):
        await inside.told("greeting")
        crowd = await asyncio.gather(*(_turned_away(line, f"38067000000{at}") for at in range(3)))
        await inside.key("0", "help")
        await inside.line.hang_up()
        await inside.line.ended()
        apology = samples(line.asterisk.sounds / "uk" / "sorry.wav")
    assert [likeness(heard, apology) >= ALIKE for heard in crowd] == [True] * 3
    assert line.faults == [Fault.CROWDED] * 3


async def _turned_away(line: Exchange, number: str) -> Sequence[int]:
    """What a caller hears who is not let in."""
    async with line.call(Dial(number=number)) as phone:
        count = await phone.line.ended()
    assert (count.successful, count.failed) == (1, 0), count.told
    return phone.line.heard


@pytest.mark.parametrize(
    ("sound", "fault"), [("goodbye", Fault.NO_SOUND), ("menu", None)], ids=["played", "read"]
)
async def test_a_missing_sound_is_no_hang_up(
    brisk: Path, tmp_path: Path, sound: str, fault: Fault | None
) -> None:
    """Playback tells of it, and the caller hears the apology; Read passes over it, and keys count."""
    shutil.copytree(brisk / "uk", tmp_path / "uk")
    (tmp_path / "uk" / f"{sound}.wav").unlink()
    async with exchange(any_asterisk(), tmp_path, desk=FakeDesk(away={"alias"})) as line:
        async with line.call(Dial(number="380670000007")) as phone:
            await phone.told("greeting", "menu")
            await phone.key("0", "help", "menu")
            for wrong in "567":
                await phone.key(wrong, "wrong_key" if wrong != "7" else "goodbye")
            await phone.line.ended()
            end = phone.line.heard[-8 * RATE :]
        record = await line.record()
    assert record.fault == fault
    assert record.keys == "0567"
    apology = samples(tmp_path / "uk" / "sorry.wav")
    assert (likeness(end, apology) >= ALIKE) == (fault is not None)
