"""config/asterisk's dialplan on each Asterisk: what a caller meets before, without and after our process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import sipp_program
from tests.peers.asterisk import running
from tests.peers.asterisk_files import AsteriskPlace
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import likeness, samples
from tests.peers.sipp import Dial, KeyBy, calling

ALIKE = 0.9
WAIT_S = 10.0


class Script:
    """An AGI server that says the same commands to each caller and keeps what it was told."""

    def __init__(self, *commands: str) -> None:
        """`commands`: sent one by one, each after the answer to the one before."""
        self.port = 0
        self.heads: list[dict[str, str]] = []
        self.answers: list[str] = []
        self._commands = commands
        self._told = asyncio.Condition()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Script]:
        """Listen on 127.0.0.1."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def answered(self, commands: int) -> None:
        """Until Asterisk has done so many commands."""
        async with asyncio.timeout(WAIT_S), self._told:
            await self._told.wait_for(lambda: len(self.answers) >= commands)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\n\n")).decode().splitlines()
        self.heads.append(dict(line.split(": ", 1) for line in lines if line))
        for command in self._commands:
            writer.write(command.encode() + b"\n")
            answer = (await reader.readline()).decode().strip()
            self.answers.append(answer)
            async with self._told:
                self._told.notify_all()
            if "HANGUP" in answer or not answer:
                break
        writer.close()


@pytest.mark.parametrize("key_by", list(KeyBy), ids=lambda by: by.value)
async def test_a_caller_hears_a_prompt_and_breaks_in_with_keys(
    asterisk_program: AsteriskProgram, sounds: Path, key_by: KeyBy
) -> None:
    greeting = f"{sounds}/uk/greeting"
    script = Script(
        "ANSWER",
        f"EXEC Playback {greeting}",
        f"EXEC Read KEY,{greeting}&{greeting}&{greeting},3,,1,5",
        "GET VARIABLE KEY",
        "SET VARIABLE UNDERCAP_DONE 1",
    )
    async with (
        script.serving(),
        running(asterisk_program, AsteriskPlace(agi_port=script.port)) as asterisk,
        calling(sipp_program(), asterisk.sip_port, Dial(number="380670000007", key_by=key_by)) as caller,
    ):
        await caller.answered()
        await script.answered(2)
        await caller.press("70#")
        count = await caller.ended()
    assert (count.successful, count.failed) == (1, 0)
    assert script.answers[3] == "200 result=1 (70)"  # the # ends
    assert script.heads[0]["agi_callerid"] == "380670000007"
    assert script.heads[0]["agi_extension"] == "0800123456"
    assert likeness(caller.heard, samples(sounds / "uk" / "greeting.wav")) > ALIKE


async def test_without_our_process_the_caller_hears_an_apology(
    asterisk_program: AsteriskProgram, sounds: Path
) -> None:
    async with (
        running(asterisk_program, AsteriskPlace(sounds=sounds)) as asterisk,
        calling(sipp_program(), asterisk.sip_port, Dial()) as caller,
    ):
        count = await caller.ended()
    assert (count.successful, count.failed) == (1, 0)
    assert likeness(caller.heard, samples(sounds / "uk" / "sorry.wav")) > ALIKE
    assert likeness(caller.heard, samples(sounds / "uk" / "busy.wav")) < ALIKE
