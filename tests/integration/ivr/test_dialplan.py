"""config/asterisk's dialplan on Asterisk: what a caller meets before, without and after our process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import sipp_program
from tests.integration.ivr.agi_script import Script
from tests.integration.ivr.ami import until
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import likeness, samples
from tests.peers.sipp import Dial, KeyBy, calling

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALIKE = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """An Asterisk, and the script that it finds where it looks for our process."""

    asterisk: Asterisk
    script: Script
    sounds: Path

    def likeness(self, heard: Sequence[int], name: str) -> float:
        """How much of a prompt a caller heard."""
        return likeness(heard, samples(self.sounds / "uk" / f"{name}.wav"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(asterisk_program: AsteriskProgram, sounds: Path) -> AsyncIterator[Stand]:
    script = Script()
    async with script.serving():
        place = AsteriskPlace(agi_port=script.port, sounds=sounds)
        async with running(asterisk_program, place) as asterisk:
            yield Stand(asterisk=asterisk, script=script, sounds=sounds)


@pytest.mark.parametrize("key_by", list(KeyBy), ids=lambda by: by.value)
async def test_a_caller_hears_a_prompt_and_breaks_in_with_keys(stand: Stand, key_by: KeyBy) -> None:
    greeting = f"{stand.sounds}/uk/greeting"
    stand.script.say(
        "ANSWER",
        f"EXEC Playback {greeting}",
        f"EXEC Read KEY,{greeting}&{greeting}&{greeting},3,,1,5",
        "GET VARIABLE KEY",
        "SET VARIABLE UNDERCAP_DONE 1",
    )
    dial = Dial(number="380670000007", key_by=key_by)
    async with calling(sipp_program(), stand.asterisk.sip_port, dial) as caller:
        await stand.script.answered(2)
        await caller.press("70#")
        count = await caller.ended()
    assert (count.successful, count.failed) == (1, 0)
    assert stand.script.answers[3] == "200 result=1 (70)"  # the # ends
    head = dict(stand.script.heads[0])
    assert (head["agi_callerid"], head["agi_extension"]) == ("380670000007", "0800123456")
    assert stand.likeness(caller.heard, "greeting") > ALIKE


@pytest.mark.parametrize("commands", [(), ("ANSWER",)], ids=["at once", "after the answer"])
async def test_where_our_process_goes_away_the_caller_hears_an_apology(
    stand: Stand, commands: tuple[str, ...]
) -> None:
    stand.script.say(*commands)
    async with calling(sipp_program(), stand.asterisk.sip_port, Dial()) as caller:
        count = await caller.ended()
    assert (count.successful, count.failed) == (1, 0)
    assert stand.likeness(caller.heard, "sorry") > ALIKE
    assert stand.likeness(caller.heard, "busy") < ALIKE


async def test_where_there_is_no_process_too_in_the_language_of_the_dialplan(stand: Stand) -> None:
    port = stand.script.port
    await stand.asterisk.cli("dialplan set global UNDERCAP_AGI 127.0.0.1:1")
    try:
        async with calling(sipp_program(), stand.asterisk.sip_port, Dial()) as caller:
            count = await caller.ended()
    finally:
        await stand.asterisk.cli(f"dialplan set global UNDERCAP_AGI 127.0.0.1:{port}")
    assert (count.successful, count.failed) == (1, 0)
    assert stand.likeness(caller.heard, "sorry") > ALIKE


async def test_one_call_too_many_hears_that_all_lines_are_taken(stand: Stand) -> None:
    stand.script.say("ANSWER", "EXEC Wait 20")
    await stand.asterisk.cli("dialplan set global UNDERCAP_MOST_CALLS 1")
    try:
        async with calling(sipp_program(), stand.asterisk.sip_port, Dial()) as first:
            await first.answered()
            async with calling(sipp_program(), stand.asterisk.sip_port, Dial()) as second:
                count = await second.ended()
            await first.hang_up()
            assert (await first.ended()).successful == 1
    finally:
        await stand.asterisk.cli("dialplan set global UNDERCAP_MOST_CALLS 1000")
    assert (count.successful, count.failed) == (1, 0)
    assert stand.likeness(second.heard, "busy") > ALIKE
    assert len(stand.script.heads) == 1


async def test_a_server_that_hangs_does_not_hold_the_caller(stand: Stand) -> None:
    stand.script.say("ANSWER", "EXEC Wait 20")
    await stand.asterisk.cli("dialplan set global UNDERCAP_MOST_SECONDS 1")
    try:
        async with calling(sipp_program(), stand.asterisk.sip_port, Dial()) as caller:
            count = await caller.ended(10)
    finally:
        await stand.asterisk.cli("dialplan set global UNDERCAP_MOST_SECONDS 330")
    assert (count.successful, count.failed) == (1, 0)
    assert stand.likeness(caller.heard, "sorry") > ALIKE


async def test_who_hangs_up_before_the_answer_leaves_nothing_behind(stand: Stand) -> None:
    stand.script.say("EXEC Wait 20")
    async with calling(sipp_program(), stand.asterisk.sip_port, Dial()) as caller:
        await until(lambda: len(stand.script.heads) == 1)
        await caller.hang_up()
        assert (await caller.ended()).successful == 1
    await stand.script.answered(1)
    assert await stand.asterisk.channels() == 0


@pytest.mark.parametrize("called", ["0800123456", "+380800123456", "55"])
async def test_a_free_number_arrives_as_digits(stand: Stand, called: str) -> None:
    stand.script.say("ANSWER", "SET VARIABLE UNDERCAP_DONE 1")
    async with calling(sipp_program(), stand.asterisk.sip_port, Dial(called=called)) as caller:
        assert (await caller.ended()).successful == 1
    assert dict(stand.script.heads[0])["agi_extension"] == called.lstrip("+")
