"""An SMSC whose every octet the test writes: for what no well-behaved peer would do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from smpp.protocol import codec, wire
from smpp.protocol.pdus import DeliverSm

PATIENCE_S = 10.0


class Pdu(NamedTuple):
    """What the gateway said."""

    command: int
    status: int
    sequence: int
    body: bytes


class RawSession:
    """One connection from the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> Pdu:
        """The next PDU."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self._reader.readexactly(16)
            length, command, status, sequence = wire.HEADER.unpack(head)
            return Pdu(command, status, sequence, await self._reader.readexactly(length - 16))

    async def read_until(self, command: int) -> list[Pdu]:
        """PDUs up to and with the first of this command."""
        found = [await self.read()]
        while found[-1].command != command:
            found.append(await self.read())
        return found

    async def read_end(self) -> bytes:
        """What came before the gateway closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read()
            except ConnectionResetError:
                return b""

    def write(self, *pdus: bytes) -> None:
        """Send octets as they are."""
        self._writer.write(b"".join(pdus))

    def reply(self, to: Pdu, status: int = 0, message_id: str = "") -> None:
        """Answer a request of the gateway."""
        self.write(wire.encode_answer(to.command | wire.RESPONSE, status, to.sequence, message_id))

    async def take_bind(self) -> Pdu:
        """Read the bind and accept it."""
        asked = await self.read()
        bind = codec.decode_bind(
            wire.HEADER.pack(16 + len(asked.body), asked.command, 0, asked.sequence) + asked.body
        )
        assert isinstance(bind, codec.BindRequest)
        self.write(codec.encode_bind_resp(bind.kind, 0, bind.sequence, "raw"))
        return asked

    @property
    def comes_from(self) -> str:
        """The gateway's address, as this side sees it."""
        return str(self._writer.get_extra_info("peername")[0])

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


class RawSmsc:
    """Listens on a free port of this machine."""

    def __init__(self) -> None:
        self.port = 0
        self._connections: asyncio.Queue[RawSession] = asyncio.Queue()
        self._sessions: list[RawSession] = []

    @property
    def waiting(self) -> int:
        """Connections that nobody has asked for yet."""
        return self._connections.qsize()

    async def session(self) -> RawSession:
        """The next connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._connections.get()

    async def bound(self) -> RawSession:
        """The next connection, its bind accepted."""
        session = await self.session()
        await session.take_bind()
        return session

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = RawSession(reader, writer)
        self._sessions.append(session)
        await self._connections.put(session)


@asynccontextmanager
async def listening(host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawSmsc]:
    """A raw SMSC for the time of a test."""
    smsc = RawSmsc()
    server = await asyncio.start_server(smsc._connected, host, 0, ssl=tls)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        for session in smsc._sessions:
            session.close()


def deliver(sequence: int, body: bytes = b"CODE") -> bytes:
    """The octets of a text from a shopper."""
    octets = wire.encode_deliver(DeliverSm(sequence, "380671234567", 1, 1, "4040", 0, 0, body), dest_ton=3)
    assert isinstance(octets, bytes)
    return octets
