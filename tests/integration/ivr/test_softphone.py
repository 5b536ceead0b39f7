"""The softphone on each Asterisk: what it hears is what was played, its keys arrive, no call is left."""

from __future__ import annotations

import array
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ivr.asterisk.instance import HOST
from ivr.softphone.call import Call, Ear, Line, dial
from ivr.softphone.leg import AWAY, Stage
from tests.conftest import any_asterisk
from tests.integration.ivr.agi_script import WAIT_S, Script
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import likeness, samples
from tests.peers.media import LINEAR

ALIKE = 0.9


@dataclass(slots=True)
class Person:
    """Who holds the telephone."""

    stages: list[tuple[Stage, str]] = field(default_factory=list)
    octets: bytearray = field(default_factory=bytearray)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ear(self) -> Ear:
        return Ear(stage=self._on_stage, sound=self._on_sound)

    @property
    def heard(self) -> array.array[int]:
        """16-bit samples, 8,000 a second."""
        return array.array("h", (LINEAR[octet] for octet in self.octets))

    async def hears(self, samples_: int) -> None:
        """Until so much sound has come."""
        async with asyncio.timeout(WAIT_S):
            while len(self.octets) < samples_:
                self._news.clear()
                await self._news.wait()

    def _on_stage(self, stage: Stage, why: str) -> None:
        self.stages.append((stage, why))

    def _on_sound(self, octets: bytes) -> None:
        self.octets += octets
        self._news.set()


@asynccontextmanager
async def calling(port: int) -> AsyncIterator[tuple[Call, Person]]:
    """A call that is made; at the end of the block it must be over by itself."""
    person = Person()
    call = dial(Line(host=HOST, port=port, number="0800500040"), "380500000001", person.ear)
    running_call = asyncio.ensure_future(call.run())
    try:
        yield call, person
        await asyncio.wait_for(running_call, WAIT_S)
    finally:
        running_call.cancel()


async def until_no_channel(asterisk: Asterisk) -> None:
    async with asyncio.timeout(WAIT_S):
        while await asterisk.channels():  # noqa: ASYNC110 - it tells nobody of its last one
            await asyncio.sleep(0.05)


async def test_what_is_played_is_heard_and_what_is_pressed_arrives(
    asterisk_program: AsteriskProgram, sounds: Path
) -> None:
    greeting = f"{sounds}/uk/greeting"
    script = Script()
    script.say(
        "ANSWER",
        f"EXEC Playback {greeting}",
        f"EXEC Read KEY,{greeting}&{greeting}&{greeting},9,,1,5",
        "GET VARIABLE KEY",
        "SET VARIABLE UNDERCAP_DONE 1",
    )
    async with script.serving(), running(asterisk_program, AsteriskPlace(agi_port=script.port)) as asterisk:
        async with calling(asterisk.sip_port) as (call, person):
            await script.answered(2)
            for key in "4002*7#":
                call.press(key)
        await until_no_channel(asterisk)
    assert script.answers[3] == "200 result=1 (4002*7)"
    assert ("agi_callerid", "380500000001") in script.heads[0]
    assert person.stages == [(Stage.DIALLING, ""), (Stage.TALKING, ""), (Stage.OVER, "")]
    assert likeness(person.heard, samples(sounds / "uk" / "greeting.wav")) > ALIKE


async def test_hanging_up_ends_it_at_asterisk_and_a_dead_asterisk_ends_it_here(sounds: Path) -> None:
    script = Script()
    script.say("ANSWER", f"EXEC Playback {'&'.join([f'{sounds}/uk/greeting'] * 20)}")
    async with script.serving(), running(any_asterisk(), AsteriskPlace(agi_port=script.port)) as asterisk:
        async with calling(asterisk.sip_port) as (call, person):
            await person.hears(1600)
            call.hang_up()
        await until_no_channel(asterisk)
        async with calling(asterisk.sip_port) as (_, left_alone):
            await left_alone.hears(1600)
            await asterisk.kill()
        async with calling(asterisk.sip_port) as (_, nobody_there):
            pass
    assert [stage for stage, _ in person.stages][-2:] == [Stage.LEAVING, Stage.OVER]
    assert left_alone.stages[-2:] == [(Stage.TALKING, ""), (Stage.OVER, AWAY)]
    assert nobody_there.stages == [(Stage.DIALLING, ""), (Stage.OVER, AWAY)]
