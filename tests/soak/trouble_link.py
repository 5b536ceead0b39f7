"""One connection of an ESME to the SMSC in trouble: raw SMPP, by `tests.bench.wire`."""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol, cast

from tests.bench import wire

BINDS = frozenset({wire.BIND_RECEIVER, wire.BIND_TRANSMITTER, wire.BIND_TRANSCEIVER})


class Owner(Protocol):
    """Who is told what comes over a connection: the SMSC."""

    def joined(self, link: TroubleLink) -> None:
        """A peer has bound."""

    def left(self, link: TroubleLink) -> None:
        """The connection is gone."""

    def answered(self, sequence: int, status: int) -> None:
        """A `deliver_sm_resp` came."""

    def submitted(self, link: TroubleLink, submit: wire.Submit, sequence: int) -> None:
        """A `submit_sm` came."""


class TroubleLink(asyncio.Protocol):
    """Frames PDUs and keeps the session; everything else is its owner's."""

    def __init__(self, smsc: Owner, number: int) -> None:
        self.id = number
        self.receives = False
        self._smsc = smsc
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._dumb = False  # half-closed: nothing may be written any more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set TCP_NODELAY."""
        self._transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand back what is open."""
        del exc
        self._transport = None
        self.receives = False
        self._smsc.left(self)

    def write(self, pdu: bytes) -> bool:
        """Write a PDU; False where that is not possible any more."""
        if self._transport is None or self._dumb or self._transport.is_closing():
            return False
        self._transport.write(pdu)
        return True

    def reset(self) -> None:
        """Drop the connection without a word."""
        self.receives = False
        if self._transport is not None:
            self._transport.abort()

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        if self._transport is not None and not self._transport.is_closing():
            self.receives = False
            self._dumb = True
            self._transport.write_eof()

    def listen(self, *, yes: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is None or self._transport.is_closing():
            return
        if yes:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take every whole PDU."""
        data = self._rest + data
        at = 0
        while len(data) - at >= 16:
            length, command, status, sequence = wire.HEADER.unpack_from(data, at)
            if at + length > len(data):
                break
            if command == wire.SUBMIT_SM:
                self._smsc.submitted(self, wire.read_submit(data, at + 16, at + length), sequence)
            elif command == wire.RESPONSE | wire.DELIVER_SM:
                self._smsc.answered(sequence, status)
            else:
                self._session(command, sequence)
            at += length
        self._rest = data[at:]

    def _session(self, command: int, sequence: int) -> None:
        if command in BINDS:
            self.write(wire.pdu(wire.RESPONSE | command, wire.ROK, sequence, b"trouble\0"))
            self.receives = command != wire.BIND_TRANSMITTER
            self._smsc.joined(self)
        elif command == wire.ENQUIRE_LINK:
            self.write(wire.pdu(wire.RESPONSE | command, wire.ROK, sequence))
        elif command == wire.UNBIND:
            self.write(wire.pdu(wire.RESPONSE | command, wire.ROK, sequence))
            if self._transport is not None:
                self._transport.close()
        elif not command & wire.RESPONSE:
            self.write(wire.pdu(wire.GENERIC_NACK, wire.RINVCMDID, sequence))
