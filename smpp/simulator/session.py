"""One gateway's connection, seen from the SMSC: frames in and out, the bind, who is still there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Protocol

from smpp.protocol import codec, statuses, wire
from smpp.protocol.codec import BindKind, BindRequest
from smpp.protocol.pdus import DeliverSm, Malformed, SubmitResult, SubmitSm

_BIND_WAIT_S = 30.0
_RALYBND = 0x05


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """When a silent gateway is asked whether it lives, and how long its answer may take. Seconds."""

    enquire_link_s: float = 30.0
    answer_s: float = 10.0


class Exchange(Protocol):
    """What a session needs of the SMSC."""

    def admit(self, session: Session, bind: BindRequest) -> int:
        """Command status of the answer to a bind."""

    def submitted(self, pdu: SubmitSm) -> SubmitResult:
        """A gateway's message: the answer to it."""

    def answered(self, session: Session, key: Hashable, status: int) -> None:
        """The gateway answered the delivery `key`."""

    def changed(self) -> None:
        """A bind came up, or the window has room again."""


class Session:
    """Serves one connection until it ends; `window` bounds the deliveries without an answer."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exchange: Exchange,
        *,
        watch: Watch,
        window: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exchange = exchange
        self._watch = watch
        self._window = window
        self._sequence = 0
        self._head = b""  # of the PDU whose rest has not come yet
        self.kind: BindKind | None = None
        self.unanswered: dict[int, Hashable] = {}

    @property
    def room(self) -> int:
        """How many deliveries it would take now."""
        if self.kind is None or not self.kind.receives or self._writer.is_closing():
            return 0
        return max(0, self._window - len(self.unanswered))

    def deliver(self, key: Hashable, message: DeliverSm, *, dest_ton: int) -> bool:
        """Send a deliver_sm; its answer comes to the exchange. False: it cannot be put on the wire at all."""
        sequence = self._next_sequence()
        pdu = wire.encode_deliver(message._replace(sequence=sequence), dest_ton=dest_ton)
        if isinstance(pdu, Malformed):
            return False
        self.unanswered[sequence] = key
        self._writer.write(pdu)
        return True

    def forget(self, keys: Collection[Hashable]) -> None:
        """No longer wait for the answers to `keys`: they are late, and the deliveries go out anew."""
        if keys:
            self.unanswered = {n: key for n, key in self.unanswered.items() if key not in keys}

    async def serve(self) -> None:
        """Read until either side ends it."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        silent_s, asked = _BIND_WAIT_S, False
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                try:
                    async with asyncio.timeout(silent_s):
                        frame = await self._frame()
                except TimeoutError:
                    if asked or self.kind is None:
                        break
                    self._writer.write(codec.encode_enquire_link(self._next_sequence()))
                    silent_s, asked = self._watch.answer_s, True
                    continue
                if frame is None or not self._handle(frame):
                    break
                async with asyncio.timeout(self._watch.answer_s):
                    await self._writer.drain()
                silent_s, asked = self._watch.enquire_link_s if self.kind else _BIND_WAIT_S, False
        self._writer.close()

    def unbind(self) -> None:
        """Ask the gateway to go; its answer ends the session."""
        if not self._writer.is_closing() and self.kind is not None:
            self._writer.write(codec.encode_unbind(self._next_sequence()))

    def close(self) -> None:
        """End it now."""
        self._writer.close()

    async def _frame(self) -> bytes | None:
        # A time-out in here loses nothing: readexactly takes octets only when all have come, and the head
        # is kept.
        if not self._head:
            self._head = await self._reader.readexactly(16)
        length = int.from_bytes(self._head[:4], "big")
        if not 16 <= length <= wire.MAX_LENGTH:
            self._writer.write(wire.encode_header(codec.GENERIC_NACK, statuses.RINVCMDLEN, 0))
            return None
        body = await self._reader.readexactly(length - 16)
        frame, self._head = self._head + body, b""
        return frame

    def _handle(self, frame: bytes) -> bool:
        """One PDU. False: the session ends with it."""
        _, command, status, sequence = wire.HEADER.unpack_from(frame)
        if command == wire.DELIVER_SM_RESP:
            self._take_answer(sequence, status)
        elif command == codec.GENERIC_NACK:
            self._take_answer(sequence, status or statuses.RSYSERR)
        elif command == wire.SUBMIT_SM:
            self._writer.write(self._submit(frame, sequence))
        elif command in _BINDS:
            return self._bind(frame, sequence)
        elif command == codec.ENQUIRE_LINK:
            self._writer.write(codec.encode_enquire_link_resp(sequence))
        elif command == codec.UNBIND:
            self._writer.write(codec.encode_unbind_resp(sequence))
            return False
        elif command == codec.UNBIND_RESP:
            return False
        elif not command & wire.RESPONSE:
            self._writer.write(wire.encode_header(codec.GENERIC_NACK, statuses.RINVCMDID, sequence))
        return True

    def _bind(self, frame: bytes, sequence: int) -> bool:
        bind = codec.decode_bind(frame)
        if isinstance(bind, Malformed):
            self._writer.write(wire.encode_header(codec.GENERIC_NACK, bind.status, sequence))
            return False
        status = _RALYBND if self.kind else self._exchange.admit(self, bind)
        self._writer.write(codec.encode_bind_resp(bind.kind, status, sequence, "undercap-sim"))
        if status == statuses.ROK:
            self.kind = bind.kind
            self._exchange.changed()
        return status in (statuses.ROK, _RALYBND)

    def _submit(self, frame: bytes, sequence: int) -> bytes:
        if self.kind is None or not self.kind.submits:
            return wire.encode_answer(wire.SUBMIT_SM_RESP, statuses.RINVBNDSTS, sequence)
        pdu = wire.decode_submit(frame, 0, len(frame))
        result = SubmitResult(pdu.status, "") if isinstance(pdu, Malformed) else self._exchange.submitted(pdu)
        return wire.encode_answer(wire.SUBMIT_SM_RESP, result.status, sequence, result.message_id)

    def _take_answer(self, sequence: int, status: int) -> None:
        if sequence in self.unanswered:
            self._exchange.answered(self, self.unanswered.pop(sequence), status)

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % wire.MAX_SEQUENCE + 1
        return self._sequence


_BINDS = frozenset(kind.command for kind in BindKind)
