"""The outgoing half of a session's transport: one write for each turn of the loop; and when not to read."""

from __future__ import annotations

import asyncio
import socket


class Pipe:
    """Gathers what a turn of the loop has to say. Reading rests while there is a reason for it."""

    __slots__ = ("_choked", "_loop", "_outgoing", "_transport", "full")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Nagle's algorithm is off; TCP asks a silent peer."""
        self._transport = transport
        self._loop = loop
        self._outgoing: list[bytes] = []
        self.full = False
        self._choked = False
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def rests(self) -> bool:
        """Nothing is read now."""
        return self.full or self._choked

    @property
    def unwritten(self) -> int:
        """Octets that wait to be taken by the network."""
        return sum(map(len, self._outgoing)) + self._transport.get_write_buffer_size()

    @property
    def clogged(self) -> bool:
        """The network has not taken what was written."""
        return self._transport.get_write_buffer_size() > 0

    def send(self, octets: bytes) -> None:
        """Send a PDU at the end of this turn of the loop."""
        if not self._outgoing:
            self._loop.call_soon(self.flush)
        self._outgoing.append(octets)

    def flush(self) -> None:
        """Write what is gathered, now."""
        if self._outgoing:
            if not self._transport.is_closing():
                self._transport.write(b"".join(self._outgoing))
            self._outgoing.clear()

    def set_full(self, full: bool) -> None:
        """Whether too many messages wait for their answer."""
        self.full = full
        self._rest_or_read()

    def set_choked(self, choked: bool) -> None:
        """Whether the peer does not read: then we do not either, so that answers cannot pile up."""
        self._choked = choked
        self._rest_or_read()

    def close(self) -> None:
        """Write what is gathered and close."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _rest_or_read(self) -> None:
        if self._transport.is_closing():
            return
        if self.rests:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
