"""One bind to an SMSC: SMPP 3.4 as an ESME, on an asyncio transport.

No task and no future is made for a message: what one read of the socket brought is handed on as a list, and
what one turn of the loop wants to say leaves in one write. The owner (smpp.link) is told by callbacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

import structlog

from config.link_settings import LinkSettings
from smpp import codec, statuses, wire
from smpp.codec import BindKind
from smpp.pdus import DeliverSm, Malformed, Outcome, SubmitResult, SubmitSm
from smpp.pipe import Pipe
from smpp.tally import Tally
from smpp.timers import Due, Timers
from smpp.trace import describe
from smpp.window import Window

# A peer that unbinds gets the answers that we owe it, and may send those that it owes us, for so long.
_FAREWELL_S: Final = 2.0
# Share of a stop's deadline in which answers and results may still come; the rest is for the unbind.
_DRAIN_SHARE: Final = 0.8
log = structlog.get_logger()


class SessionHandler(Protocol):
    """What the owner of a session is told."""

    def on_bound(self, session: Session) -> None:
        """The SMSC has accepted the bind."""

    def on_messages(self, session: Session, messages: list[DeliverSm]) -> None:
        """Messages of one read; each is to be answered by `session.answer`, in any order."""

    def on_results(self, session: Session, results: list[Outcome]) -> None:
        """What became of submissions; there may be room in the window again."""

    def on_closed(self, session: Session) -> None:
        """The session is over; `session.fault` says why. Results of what was in flight came before."""


class Session(asyncio.Protocol):
    """An ESME's session. Made by the owner's protocol factory; it binds as soon as it is connected."""

    def __init__(
        self,
        settings: LinkSettings,
        kind: BindKind,
        handler: SessionHandler,
        tally: Tally,
        *,
        max_unanswered: int,
        inactivity_s: float = 0.0,
    ) -> None:
        """`max_unanswered`: messages waiting for their answer, from which on reading is paused.

        `inactivity_s`: without any message for so long the session is unbound; 0: never.
        """
        self.kind = kind
        self.bound = False
        self.bound_at = 0.0  # of the loop's clock
        self.fault = ""
        self.peer_system_id = ""
        self._settings = settings
        self._handler = handler
        self._tally = tally
        self._max_unanswered = max_unanswered
        self._window = Window(settings.window, settings.response_timeout_s)
        self._loop = asyncio.get_running_loop()
        self._timers = Timers(
            settings.enquire_link_s, settings.enquire_link_timeout_s, 0.0, 0.0, inactivity_s
        )
        self._pipe: Pipe | None = None  # once connected
        self._traced = settings.trace
        self._rest = b""
        self._unanswered: dict[int, int] = {}  # sequence number -> command_id of its response
        self._takes = False  # new messages are handed on
        self._submits = False  # new submissions are sent
        self._full = False  # too many messages wait for their answer: reading rests
        self._stopping = False
        self._over = False  # nothing is read any more
        self._bind_sequence = 0
        self._started = 0.0
        self._leave: Callable[[], None] | None = None  # to be done once nothing is in flight, or at _leave_by
        self._leave_by = 0.0
        self._close_by = float("inf")
        self._tick_handle: asyncio.TimerHandle | None = None
        self._tick_s = _tick_interval(settings)

    @property
    def window_free(self) -> int:
        """Submissions that may be sent now; 0 unless bound for sending."""
        return self._window.free if self._submits else 0

    @property
    def in_flight(self) -> int:
        """Submissions that wait for the SMSC's answer."""
        return self._settings.window - self._window.free

    @property
    def idle(self) -> bool:
        """No message waits for our answer, no submission for the SMSC's."""
        return not self._unanswered and self._window.empty

    def answer(self, sequence: int, status: int) -> bool:
        """Answer the message with this sequence number; it leaves at the end of this turn of the loop.

        False if nothing waits for it: it was answered already, or its session is over.
        """
        response = self._unanswered.pop(sequence, None)
        if response is None:
            return False
        self._send(wire.encode_answer(response, status, sequence))
        if self._full and len(self._unanswered) <= self._max_unanswered // 2:
            self._set_full(False)
        return True

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        """Send a message; False if there is no room or no bind for it.

        After True exactly one Outcome with `token` follows. A PDU that cannot be encoded is not sent: its
        Outcome carries the status with which an SMSC would refuse it.
        """
        if not self._submits or not self._window.free:
            return False
        now = self._loop.time()
        sequence = self._window.open(token, now)
        octets = wire.encode_submit(pdu, sequence)
        if isinstance(octets, Malformed):
            self._window.close(sequence)
            outcome: Outcome = (token, SubmitResult(octets.status, ""))
            self._loop.call_soon(self._handler.on_results, self, [outcome])
            return True
        self._timers.active = now
        self._tally.submitted += 1
        self._send(octets)
        return True

    def stop(self, deadline_s: float) -> None:
        """Take no new work, let what is in flight end, unbind and close, all within `deadline_s`."""
        now = self._loop.time()
        self._close_by = min(self._close_by, now + deadline_s)
        if self._stopping or self._over:
            return
        self._stopping = True
        if not self.bound:
            self._end("stopped")
        elif self._leave is None:  # else the SMSC has unbound already
            self._drain(self._unbind, now + deadline_s * _DRAIN_SHARE)

    def abort(self, fault: str) -> None:
        """Cut the connection without a word."""
        self.fault = self.fault or fault
        if self._pipe is not None:
            self._pipe.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind (4.1)."""
        # TCP gives no other kind; uvloop's is not a subclass.
        self._pipe = Pipe(cast(asyncio.Transport, transport), self._loop, self._leave_if_due)
        self._started = self._timers.heard = self._timers.active = self._loop.time()
        self._bind_sequence = self._window.next_sequence()
        settings = self._settings
        password = settings.password.get_secret_value()
        self._send(
            codec.encode_bind(
                self.kind,
                self._bind_sequence,
                settings.system_id,
                password,
                settings.system_type,
                interface_version=settings.interface_version,
                serves=codec.AddressRange(settings.address_ton, settings.address_npi, settings.address_range),
            )
        )
        self._tick_handle = self._loop.call_later(self._tick_s, self._tick)

    def data_received(self, data: bytes) -> None:  # noqa: PLR0912 - the hot path is one loop over the PDUs
        """Take PDU after PDU from what has come (3.2); what is not whole waits for the next read."""
        if self._over:
            return
        buffer = self._rest + data if self._rest else data
        if self._traced:
            self._trace_whole(buffer)
        messages: list[DeliverSm] = []
        results: list[Outcome] = []
        start, size = 0, len(buffer)
        while size - start >= 16:
            length, command, status, sequence = wire.HEADER.unpack_from(buffer, start)
            if not 16 <= length <= wire.MAX_LENGTH:
                self._nack(statuses.RINVCMDLEN, sequence)
                self._end(f"framing lost: a PDU of {length} octets")
                start = size
                break
            end = start + length
            if end > size:
                break
            if command == wire.DELIVER_SM:
                if self._may_take(command, sequence):
                    self._take(wire.decode_deliver(sequence, buffer, start, end), command, sequence, messages)
            elif command == wire.SUBMIT_SM_RESP:
                entry = self._window.close(sequence)
                if entry is None:
                    self._tally.strays += 1
                else:
                    results.append((entry[0], wire.decode_answer(status, buffer, start, end)))
            elif command == wire.DATA_SM:
                if self._may_take(command, sequence):
                    self._take(wire.decode_data(sequence, buffer, start, end), command, sequence, messages)
            else:
                self._take_other(command, status, sequence, buffer[start:end], results)
            start = end
        # The beginning of a PDU that never ends is no sign of life.
        self._timers.heard = self._loop.time() if start else self._timers.heard
        self._rest = buffer[start:]
        self._hand_on(messages, results)

    def pause_writing(self) -> None:
        """The peer does not read."""
        if self._pipe is not None:
            self._pipe.set_choked(True)

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._pipe is not None:
            self._pipe.set_choked(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end: nobody will answer what is in flight, nobody waits for our answers."""
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        self.fault = self.fault or (f"connection lost: {exc}" if exc else "the SMSC closed the connection")
        self.bound = self._takes = self._submits = False
        self._unanswered.clear()
        lost: list[Outcome] = [(token, None) for token in self._window.clear()]
        if lost:
            self._handler.on_results(self, lost)
        self._handler.on_closed(self)

    # Taking PDUs.

    def _may_take(self, command: int, sequence: int) -> bool:
        if self._takes and sequence not in self._unanswered:
            return True
        if not self.bound or not self.kind.receives:
            status = statuses.RINVBNDSTS
            self._tally.wrong_state += 1
        else:
            # We are leaving, or the number is in use: an early retry or a mistake of the SMSC. Either way
            # it keeps the message and sends it again.
            status = self._settings.temporary_status
            self._tally.put_off += 1
        self._send(wire.encode_answer(command | wire.RESPONSE, status, sequence))
        return False

    def _take(
        self, message: DeliverSm | Malformed, command: int, sequence: int, messages: list[DeliverSm]
    ) -> None:
        if isinstance(message, Malformed):
            self._tally.malformed += 1
            self._send(wire.encode_answer(command | wire.RESPONSE, message.status, sequence))
            return
        self._unanswered[sequence] = command | wire.RESPONSE
        messages.append(message)

    def _take_other(
        self, command: int, status: int, sequence: int, pdu: bytes, results: list[Outcome]
    ) -> None:
        if command == codec.ENQUIRE_LINK:
            self._send(codec.encode_enquire_link_resp(sequence))
        elif command == codec.ENQUIRE_LINK_RESP:
            pass  # it was heard, that is all we wanted
        elif sequence == self._bind_sequence and not self.bound and command & wire.RESPONSE:
            self._take_bind_resp(command, status, pdu)
        elif command == codec.UNBIND:
            farewell = codec.encode_unbind_resp(sequence)
            self._drain(lambda: self._end("the SMSC unbound", farewell), self._loop.time() + _FAREWELL_S)
        elif command == codec.UNBIND_RESP:
            self._end("unbound")
        elif command == codec.GENERIC_NACK:
            self._tally.nacks += 1
            entry = self._window.close(sequence)
            if entry is not None:
                results.append((entry[0], SubmitResult(status or statuses.RSYSERR, "")))
        elif command in {codec.ALERT_NOTIFICATION, codec.OUTBIND}:
            self._tally.alerts += 1
        elif command & wire.RESPONSE:
            self._tally.strays += 1
        elif command in codec.KNOWN_COMMANDS:
            self._tally.wrong_state += 1
            self._send(wire.encode_header(command | wire.RESPONSE, statuses.RINVBNDSTS, sequence))
        else:
            self._tally.unknown_commands += 1
            self._nack(statuses.RINVCMDID, sequence)

    def _take_bind_resp(self, command: int, status: int, pdu: bytes) -> None:
        if status != statuses.ROK or command != self.kind.command | wire.RESPONSE:
            self._end(f"bind refused: {codec.status_name(status)}")
            return
        self.bound = True
        self.bound_at = self._loop.time()
        self._takes, self._submits = self.kind.receives, self.kind.submits
        self.peer_system_id = codec.decode_bind_resp(pdu)
        self._tally.binds += 1
        self._handler.on_bound(self)

    def _hand_on(self, messages: list[DeliverSm], results: list[Outcome]) -> None:
        if messages:
            self._timers.active = self._timers.heard
            self._tally.received += len(messages)
            if len(self._unanswered) >= self._max_unanswered and not self._full:
                self._tally.paused += 1
                self._set_full(True)
            self._handler.on_messages(self, messages)
        if results:
            self._handler.on_results(self, results)
            self._leave_if_due()

    # Saying things.

    def _send(self, octets: bytes) -> None:
        if self._traced:
            self._trace("out", octets)
        if self._pipe is not None:
            self._pipe.send(octets)

    def _trace(self, way: str, pdu: bytes) -> None:
        log.info("pdu", link=self._settings.name, way=way, **describe(pdu))

    def _trace_whole(self, buffer: bytes) -> None:
        start = 0
        while len(buffer) - start >= 16:
            end = start + wire.HEADER.unpack_from(buffer, start)[0]
            if not start + 16 <= end <= len(buffer):
                break
            self._trace("in", buffer[start:end])
            start = end

    def _nack(self, status: int, sequence: int) -> None:
        self._send(wire.encode_header(codec.GENERIC_NACK, status, sequence))

    def _set_full(self, full: bool) -> None:
        self._full = full
        if self._pipe is not None:
            self._pipe.set_full(full)

    # Time, and the end.

    def _tick(self) -> None:
        now = self._loop.time()
        self._tick_handle = self._loop.call_later(self._tick_s, self._tick)
        if now >= self._close_by:
            self.abort("closed without the SMSC's consent")
            return
        if not self.bound:
            if now - self._started >= self._settings.bind_timeout_s:
                self.abort("no answer to the bind")
            return
        if self._full:
            self._timers.heard = now  # we do not listen, so silence proves nothing
        due = self._timers.due(now)
        if due is Due.DEAD:
            self.abort("no answer to enquire_link")
            return
        if due is Due.ENQUIRE:
            self._send(codec.encode_enquire_link(self._window.next_sequence()))
        elif due is Due.INACTIVE:
            self.fault = self.fault or "inactive"
            self.stop(self._settings.bind_timeout_s)
        late: list[Outcome] = [(token, None) for token in self._window.expire(now)]
        if late:
            self._tally.timeouts += len(late)
            self._handler.on_results(self, late)
        self._leave_if_due()

    def _drain(self, leave: Callable[[], None], by: float) -> None:
        """No new work from now on; `leave` is called once nothing is in flight, at the latest at `by`."""
        self._takes = self._submits = False
        self._leave, self._leave_by = leave, by
        self._leave_if_due()

    def _leave_if_due(self) -> None:
        if self._leave is not None and (self.idle or self._loop.time() >= self._leave_by):
            leave, self._leave = self._leave, None
            leave()

    def _unbind(self) -> None:
        self.fault = self.fault or "unbound"
        self._send(codec.encode_unbind(self._window.next_sequence()))

    def _end(self, fault: str, last_words: bytes = b"") -> None:
        """Say what is still to be said, then close."""
        self.fault = self.fault or fault
        self._over = True
        self._takes = self._submits = False
        self._leave = None
        if last_words:
            self._send(last_words)
        self._loop.call_soon(self._close)

    def _close(self) -> None:
        self._close_by = min(self._close_by, self._loop.time() + _FAREWELL_S)  # should it not read any more
        if self._pipe is not None:
            self._pipe.close()


def _tick_interval(settings: LinkSettings) -> float:
    """Often enough for the shortest of the timers, seldom enough not to be felt."""
    shortest = min(
        settings.enquire_link_s,
        settings.enquire_link_timeout_s,
        settings.response_timeout_s,
        settings.bind_timeout_s,
    )
    return max(0.01, min(0.5, shortest / 4))
