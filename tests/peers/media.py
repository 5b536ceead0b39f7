"""The sound of one call: a UDP socket that records what Asterisk plays (A-law) and presses keys (RFC 4733).

Until the end it sends silence every 20 ms, as a telephone does, or what it is given to speak.
"""

from __future__ import annotations

import array
import asyncio
import struct
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from typing import Final, cast

HEADER: Final = struct.Struct("!BBHII")  # RFC 3550, 5.1
EVENT: Final = struct.Struct("!BBH")  # RFC 4733, 2.3
ALAW, TELEPHONE_EVENT = 8, 101
PACKET_S: Final = 0.02
PACKET_SAMPLES: Final = 160
RATE: Final = 8000  # samples a second
SILENCE: Final = b"\xd5" * PACKET_SAMPLES
KEYS: Final = "0123456789*#"
KEY_PACKETS: Final = 5  # 100 ms: Asterisk takes 80 ms for the least
KEY_GAP_PACKETS: Final = 5
MOST_GAP_S: Final = 60  # of silence between two packets; more is another stream
ADDRESS_WAIT_S: Final = 10.0


class Media(asyncio.DatagramProtocol):
    """Opened by `open_media`; `port` is where Asterisk is to send."""

    def __init__(self) -> None:
        # What Asterisk played since the first packet: 16-bit samples, 8,000 a second, gaps as silence.
        self.heard = array.array("h")
        self._heard_at = 0.0  # when the last of it came
        self._transport: asyncio.DatagramTransport | None = None
        self._sender: asyncio.Task[None] | None = None
        self._peer: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self._begin = self._previous = 0  # timestamps: of the first sample, of the last packet
        self._keys: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._speech: deque[bytes] = deque()  # packets

    @property
    def port(self) -> int:
        """Of the socket."""
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    @property
    def position(self) -> int:
        """Where in `heard` a sound will stand that begins now: while nothing plays, nothing comes."""
        since = asyncio.get_running_loop().time() - self._heard_at
        return len(self.heard) + round(since * RATE) if self.heard else 0

    def send_to(self, address: tuple[str, int]) -> None:
        """Begin to send, without waiting for the other side's first packet."""
        if not self._peer.done():
            self._peer.set_result(address)

    def speak(self, samples: Sequence[int]) -> None:
        """Send this sound (16-bit samples, 8,000 a second) behind what is still to be sent."""
        for at in range(0, len(samples), PACKET_SAMPLES):
            payload = bytes(map(_octet, samples[at : at + PACKET_SAMPLES]))
            self._speech.append(payload.ljust(PACKET_SAMPLES, SILENCE[:1]))

    async def press(self, keys: str) -> None:
        """Press keys one after the other; returns when the last one is up. Raises TimeoutError."""
        await asyncio.wait_for(asyncio.shield(self._peer), ADDRESS_WAIT_S)
        pressed = [(key, asyncio.get_running_loop().create_future()) for key in keys]
        self._keys.extend(pressed)
        await asyncio.gather(*(done for _, done in pressed))

    def close(self) -> None:
        """No more sound."""
        if self._sender is not None:
            self._sender.cancel()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._sender = asyncio.create_task(self._send())

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._peer.done():
            self._peer.set_result(addr)
        if len(data) > HEADER.size and data[1] & 0x7F == ALAW:
            self._hear(HEADER.unpack_from(data)[3], data[HEADER.size :])

    def _hear(self, at: int, payload: bytes) -> None:
        if not self.heard or not 0 <= (at - self._previous) & 0xFFFFFFFF <= MOST_GAP_S * RATE:
            self._begin = at - len(self.heard)
        self._previous = at
        gap = ((at - self._begin) & 0xFFFFFFFF) - len(self.heard)
        self.heard.extend([0] * gap if gap < 1 << 31 else [])
        self.heard.extend(LINEAR[octet] for octet in payload)
        self._heard_at = asyncio.get_running_loop().time()

    async def _send(self) -> None:
        """A packet every 20 ms of the clock: silence, or a key."""
        peer = await self._peer
        loop = asyncio.get_running_loop()
        due, number = loop.time(), 0
        while True:
            if self._keys:
                key, done = self._keys.popleft()
                due, number = await self._send_key(key, peer, due, number)
                if not done.done():
                    done.set_result(None)
            number += 1
            payload = self._speech.popleft() if self._speech else SILENCE
            due = await self._send_packet(ALAW, payload, number * PACKET_SAMPLES, peer, due, number)

    async def _send_key(self, key: str, peer: tuple[str, int], due: float, number: int) -> tuple[float, int]:
        """Packets of one key, all of the time of its beginning, the last three times (RFC 4733, 2.5.1)."""
        begin = (number + 1) * PACKET_SAMPLES
        for step in range(1, KEY_PACKETS + 3):
            ends = 0x80 if step >= KEY_PACKETS else 0
            event = EVENT.pack(KEYS.index(key), ends | 10, min(step, KEY_PACKETS) * PACKET_SAMPLES)
            number += 1
            kind = TELEPHONE_EVENT | (0x80 if step == 1 else 0)
            due = await self._send_packet(kind, event, begin, peer, due, number)
        for _ in range(KEY_GAP_PACKETS):
            number += 1
            due = await self._send_packet(ALAW, SILENCE, number * PACKET_SAMPLES, peer, due, number)
        return due, number

    async def _send_packet(
        self, kind: int, payload: bytes, timestamp: int, peer: tuple[str, int], due: float, number: int
    ) -> float:
        assert self._transport is not None
        header = HEADER.pack(0x80, kind, number & 0xFFFF, timestamp & 0xFFFFFFFF, 0x5EED)
        self._transport.sendto(header + payload, peer)
        await asyncio.sleep(due + PACKET_S - asyncio.get_running_loop().time())
        return due + PACKET_S


async def open_media(host: str = "127.0.0.1") -> Media:
    """A socket on a free port of `host`."""
    loop = asyncio.get_running_loop()
    _, media = await loop.create_datagram_endpoint(Media, local_addr=(host, 0))
    return media


def _linear(octet: int) -> int:
    """A-law to 16-bit linear (ITU-T G.711)."""
    octet ^= 0x55
    exponent, mantissa = octet >> 4 & 7, (octet & 15) << 4
    size = mantissa + 8 if exponent == 0 else (mantissa + 0x108) << (exponent - 1)
    return size if octet & 0x80 else -size


LINEAR: Final = tuple(_linear(octet) for octet in range(256))
_BY_SIZE: Final = sorted((value, octet) for octet, value in enumerate(LINEAR))


def _octet(sample: int) -> int:
    """16-bit linear to A-law."""
    return _BY_SIZE[min(bisect_left(_BY_SIZE, (sample, 0)), len(_BY_SIZE) - 1)][1]
