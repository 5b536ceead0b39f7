"""The other side of the page's calls: answers every INVITE, plays what a test wants, notes who hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from tests.integration.smpp.simulator.watching import PATIENCE_S

HOST = "127.0.0.1"
SDP = "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
RTP_HEAD = b"\x80\x08" + bytes(10)


class Answerer(asyncio.DatagramProtocol):
    """Opened by `answering`; its one socket takes SIP, and is where it hears."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[str] = []  # methods, in order
        self.sound_ports: list[int] = []  # of the callers
        self._news = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    async def until(self, method: str, times: int = 1) -> None:
        """Until so many requests of this kind have come."""
        async with asyncio.timeout(PATIENCE_S):
            while self.requests.count(method) < times:
                self._news.clear()
                await self._news.wait()

    def play(self, sound: bytes) -> None:
        """A packet to the last caller."""
        self._send(RTP_HEAD + sound, (HOST, self.sound_ports[-1]))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[:1] == b"\x80":  # silence of the caller
            return
        head, _, body = data.decode().partition("\r\n\r\n")
        line, *headers = head.split("\r\n")
        method = line.split()[0]
        self.requests.append(method)
        self._news.set()
        if method == "INVITE":
            self.sound_ports.append(int(body.partition("m=audio ")[2].split()[0]))
        if method != "ACK":
            self._send(self._fine(headers, method), addr)

    def _fine(self, headers: list[str], method: str) -> bytes:
        told = [header for header in headers if header.split(":")[0] in COPIED]
        told = [f"{h};tag=theirs" if h.startswith("To:") and "tag=" not in h else h for h in told]
        body = SDP.format(host=HOST, port=self.port) if method == "INVITE" else ""
        lines = (
            "SIP/2.0 200 OK",
            *told,
            f"Contact: <sip:{HOST}:{self.port}>",
            f"Content-Length: {len(body)}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _send(self, octets: bytes, there: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(octets, there)


@asynccontextmanager
async def answering() -> AsyncIterator[Answerer]:
    """On a free port of this machine."""
    loop = asyncio.get_running_loop()
    transport, answerer = await loop.create_datagram_endpoint(Answerer, local_addr=(HOST, 0))
    try:
        yield answerer
    finally:
        transport.close()
