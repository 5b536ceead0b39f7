"""The barest AGI server: for what Asterisk and its dialplan do, whoever answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

WAIT_S: Final = 10.0


class Script:
    """Says the same commands to each caller and keeps what it was told."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[list[tuple[str, str]]] = []  # name and value of each line of a head, in order
        self.answers: list[str] = []
        self._commands: tuple[str, ...] = ()
        self._told = asyncio.Condition()

    def say(self, *commands: str) -> None:
        """To the callers that follow: one by one, each after the answer to the one before."""
        self._commands = commands
        self.heads.clear()
        self.answers.clear()

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
        lines = (await reader.readuntil(b"\n\n")).decode().split("\n")
        self.heads.append(
            [(name, value) for name, _, value in (line.partition(": ") for line in lines) if name]
        )
        for command in self._commands:
            writer.write(command.encode() + b"\n")
            answer = (await reader.readline()).decode().strip()
            self.answers.append(answer)
            async with self._told:
                self._told.notify_all()
            if "HANGUP" in answer or not answer:
                break
        writer.close()
