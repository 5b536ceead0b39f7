"""Something on a port that an administrator gave us as Asterisk's manager interface; it may be anything."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

GREETING = b"Asterisk Call Manager/9.0.0\r\n"
Fields = dict[str, str]


def success(fields: Fields) -> bytes:
    """Asterisk's answer to any action."""
    return f"Response: Success\r\nActionID: {fields['ActionID']}\r\nMessage: done\r\n\r\n".encode()


class RawAmi:
    """Greets, notes each action with its time, and answers as it is told."""

    def __init__(self, greeting: bytes, answer: Callable[[Fields], bytes]) -> None:
        self.port = 0
        self.connections = 0
        self.actions: list[tuple[float, Fields]] = []
        self._greeting = greeting
        self._answer = answer
        self._writers: set[asyncio.StreamWriter] = set()

    def say(self, octets: bytes) -> None:
        """To all that are connected."""
        for writer in self._writers:
            writer.write(octets)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            writer.write(self._greeting)
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                    fields = dict(line.split(": ", 1) for line in lines if line)
                    self.actions.append((asyncio.get_running_loop().time(), fields))
                    writer.write(self._answer(fields))
        finally:
            self._writers.discard(writer)
            writer.close()

    def times_of(self, action: str) -> list[float]:
        """When each such action came."""
        return [at for at, fields in self.actions if fields["Action"] == action]


@asynccontextmanager
async def pretending(
    *,
    greeting: bytes = GREETING,
    answer: Callable[[Fields], bytes] = success,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RawAmi]:
    """Listening."""
    raw = RawAmi(greeting, answer)
    server = await asyncio.start_server(raw.serve, host, 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
