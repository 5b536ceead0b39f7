"""A plain listener on the manager interface, as our user: what Asterisk lets through to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.integration.ivr.ami import WAIT_S
from tests.peers.asterisk import Asterisk


class Tap:
    """Everything is kept in `heard`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard = b""
        self._reader = reader
        self._writer = writer
        self._questions = 0

    async def events(self) -> list[bytes]:
        """All events until now, as anybody would cut the stream."""
        self._questions += 1
        ours = f"ActionID: tap{self._questions}\r\n".encode()
        self._writer.write(b"Action: Ping\r\n" + ours + b"\r\n")
        async with asyncio.timeout(WAIT_S):
            while ours not in self.heard:
                self.heard += await self._reader.read(65536)
        return [pack for pack in self.heard.split(b"\r\n\r\n") if pack.startswith(b"Event: ")]


@asynccontextmanager
async def tapping(asterisk: Asterisk) -> AsyncIterator[Tap]:
    """Logged in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.ami_port)
    try:
        login = f"Action: Login\r\nUsername: undercap\r\nSecret: {asterisk.secret}\r\n\r\n"
        writer.write(login.encode())
        tap = Tap(reader, writer)
        await tap.events()
        yield tap
    finally:
        writer.close()
