"""The sound of a call: RTP packets (RFC 3550, 5.1) with A-law in them (RFC 3551). What we say is silence."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import Callable
from typing import Final

from ivr.softphone.media import PCMA

HEADER: Final = struct.Struct("!BBHII")
PACKET_S: Final = 0.02
SAMPLES: Final = 160  # of a packet, an octet each
SILENCE: Final = b"\xd5" * SAMPLES
MOST_OCTETS: Final = 2048  # of a packet that is read
MOST_SAMPLES: Final = 800  # of a packet that is played: 100 ms


def payload(packet: bytes) -> bytes | None:
    """The A-law in a packet; None if it is no packet, or holds something else. Pure."""
    if len(packet) < HEADER.size or packet[0] >> 6 != 2 or packet[1] & 0x7F != PCMA:
        return None
    begins = HEADER.size + 4 * (packet[0] & 0x0F)  # contributing sources
    if packet[0] & 0x10:  # an extension (5.3.1): its length in words stands in its second half
        if len(packet) < begins + 4:
            return None
        begins += 4 + 4 * int.from_bytes(packet[begins + 2 : begins + 4], "big")
    padding = packet[-1] if packet[0] & 0x20 else 0
    found = packet[begins : max(len(packet) - padding, 0)]
    return found if 0 < len(found) <= MOST_SAMPLES else None


def silence(number: int, source: int) -> bytes:
    """The packet of this number, from 0 on. `source`: 32 random bits of this call. Pure."""
    # The marker says that a talk begins (RFC 3551, 4.1).
    kind = PCMA | (0x80 if number == 0 else 0)
    stamp = number * SAMPLES & 0xFFFFFFFF
    return HEADER.pack(0x80, kind, number & 0xFFFF, stamp, source) + SILENCE


class Sound:
    """A socket for one call's sound; `port` is where the other side is to send."""

    def __init__(self, host: str) -> None:
        """Opens it. Raises OSError."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]

    async def flow(self, there: tuple[str, int], heard: Callable[[bytes], None]) -> None:
        """Until nobody is there: `heard` is given what comes from `there`, and from nowhere else."""
        self._socket.connect(there)
        both = {asyncio.ensure_future(self._speak()), asyncio.ensure_future(self._listen(heard))}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    def close(self) -> None:
        """No more sound."""
        self._socket.close()

    async def _speak(self) -> None:
        loop, source, number = asyncio.get_running_loop(), secrets.randbits(32), 0
        begun = loop.time()
        while True:
            with contextlib.suppress(BlockingIOError):  # one packet of silence less
                try:
                    self._socket.send(silence(number, source))
                except ConnectionError:  # the kernel knows that nobody listens
                    return
            # What was missed while the process was busy is not made up for.
            number = max(number + 1, int((loop.time() - begun) / PACKET_S))
            await asyncio.sleep(begun + number * PACKET_S - loop.time())

    async def _listen(self, heard: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet = await loop.sock_recv(self._socket, MOST_OCTETS)
            except ConnectionError:
                return
            found = payload(packet)
            if found is not None:
                heard(found)
