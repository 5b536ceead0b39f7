"""Ends of the simulator for tests: a listener that records, and a gateway that may misbehave."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from smpp.simulator.deliveries import RetryRule, Verdict
from smpp.simulator.joining import Reply
from smpp.simulator.session import Watch
from smpp.simulator.smsc import PASSWORD, Manners

PATIENCE_S = 10.0
QUICK = Manners(
    retry=RetryRule(response_timeout_s=0.3, first_backoff_s=0.02, max_backoff_s=0.1),
    watch=Watch(enquire_link_s=0.2, answer_s=0.2),
    receipt_after_s=0.0,
)
HEADER = struct.Struct(">IIII")


@dataclass
class Recorder:
    """smsc.Listener that keeps everything, in order."""

    sent: list[tuple[str, int]] = field(default_factory=list)
    verdicts: list[tuple[str, Verdict, int]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    bound: list[int] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_gateways(self, bound: int) -> None:
        self.bound.append(bound)
        self._news.set()

    def on_sent(self, text_id: str, attempt: int) -> None:
        self.sent.append((text_id, attempt))
        self._news.set()

    def on_verdict(self, text_id: str, verdict: Verdict, status: int) -> None:
        self.verdicts.append((text_id, verdict, status))
        self._news.set()

    def on_reply(self, reply: Reply) -> None:
        self.replies.append(reply)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition on what was recorded."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


class RawGateway:
    """Speaks octets built here, not by the code under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def bind(cls, port: int, *, password: str = PASSWORD, command: int = 9) -> tuple[RawGateway, int]:
        """Connect and bind (9: transceiver, 1: receiver, 2: transmitter); the answer's status beside it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        gateway = cls(reader, writer)
        body = b"undercap\0" + password.encode() + b"\0" + b"\0" + b"\x34\0\0\0"
        gateway.write(command, 0, 1, body)
        _, status, _, _ = await gateway.read()
        return gateway, status

    def write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.writer.write(HEADER.pack(16 + len(body), command, status, sequence) + body)

    async def read(self) -> tuple[int, int, int, bytes]:
        """Command id, status, sequence and body of the next PDU."""
        async with asyncio.timeout(PATIENCE_S):
            length, command, status, sequence = HEADER.unpack(await self._reader.readexactly(16))
            return command, status, sequence, await self._reader.readexactly(length - 16)

    async def read_deliver(self) -> tuple[int, bytes]:
        """Sequence and body of the next deliver_sm; enquire_links before it are answered."""
        while True:
            command, _, sequence, body = await self.read()
            if command == 0x15:
                self.write(0x80000015, 0, sequence)
            elif command == 5:
                return sequence, body

    async def ended(self) -> bool:
        """Whether the other side has closed, after whatever it still said."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader.read()
        return self._reader.at_eof()

    def close(self) -> None:
        self.writer.close()
