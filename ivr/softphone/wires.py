"""What a call's SIP goes over: a socket of its own, or the one that all calls to the handsets share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Protocol

from ivr.softphone.messages import MOST_OCTETS

MOST_WAITING: Final = 32  # datagrams of one call; more are sent again


class Wire(Protocol):
    """To the other side and back."""

    def send(self, datagram: bytes) -> None:
        """Raises OSError."""

    async def receive(self) -> bytes:
        """The next datagram. Raises ConnectionError where the kernel knows that nobody is there."""

    def close(self) -> None:
        """No more."""


class OwnWire:
    """A socket that hears `there` and nobody else."""

    def __init__(self, there: tuple[str, int]) -> None:
        """Opens it. Raises OSError."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(there)
        self.here: tuple[str, int] = self._socket.getsockname()

    def send(self, datagram: bytes) -> None:
        """Raises OSError."""
        self._socket.send(datagram)

    async def receive(self) -> bytes:
        """Raises ConnectionError."""
        return await asyncio.get_running_loop().sock_recv(self._socket, MOST_OCTETS + 1)

    def close(self) -> None:
        """The socket."""
        self._socket.close()


class SharedWire:
    """One call's part of a shared socket. `closed`: told when the call needs it no more."""

    def __init__(self, send: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        self._send = send
        self._closed = closed
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)

    def put(self, datagram: bytes) -> None:
        """It has come for this call."""
        if not self._waiting.full():
            self._waiting.put_nowait(datagram)

    def send(self, datagram: bytes) -> None:
        """Raises OSError."""
        self._send(datagram)

    async def receive(self) -> bytes:
        """Never raises."""
        return await self._waiting.get()

    def close(self) -> None:
        """The call is over."""
        self._closed()
