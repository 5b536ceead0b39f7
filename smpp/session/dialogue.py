"""What an ESME says and decides in one session (SMPP 3.4, chapter 2). Pure: octets and time are arguments.

Events go in (`hear`, `submit`, `tick`, `stop`, `lose`), what is to be done comes out; smpp.session.session
does it. Times are seconds of one monotonic clock. Whatever a peer says, nothing raises.
"""

from __future__ import annotations

from config.link_settings import LinkSettings
from smpp.protocol import codec, statuses, wire
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import DeliverSm, Malformed, Outcome, SubmitResult, SubmitSm
from smpp.protocol.wire import MAX_LENGTH, SUBMIT_SM_RESP, decode_answer
from smpp.session.counters import Load, Tally
from smpp.session.inbox import Inbox
from smpp.session.phases import Phase, Step
from smpp.session.refusals import nack, refuse
from smpp.session.state import Course
from smpp.session.timers import Due, Timers
from smpp.session.window import Window

DECODERS = {wire.DELIVER_SM: wire.decode_deliver, wire.DATA_SM: wire.decode_data}
read_header = wire.HEADER.unpack_from


class Dialogue:
    """One session from connection to end. Not reusable."""

    def __init__(
        self,
        settings: LinkSettings,
        kind: BindKind,
        tally: Tally,
        *,
        max_unanswered: int,
        inactivity_s: float = 0.0,
    ) -> None:
        """`max_unanswered`, `inactivity_s`: see smpp.session.session.Session."""
        self.course = Course()
        self.inbox = Inbox(max_unanswered, settings.temporary_status, tally)
        self.window = Window(settings.window, settings.response_timeout_s)
        self.submits = False  # new submissions are sent
        self.bound_at: float | None = None
        self.peer_system_id = ""
        self._settings = settings
        self._kind = kind
        self._tally = tally
        self._timers = Timers(
            settings.enquire_link_s, settings.enquire_link_timeout_s, 0.0, 0.0, inactivity_s
        )
        self._rest = b""  # of the stream: the beginning of a PDU
        self._deaf = False  # nothing is read any more: it is over, or framing is lost
        self._enquiries = 0  # enquire_links without an answer
        self._own_sequence = 0  # of the bind, later of the unbind
        self._farewell = b""  # the unbind_resp that the SMSC is to get once nothing is in flight

    @property
    def idle(self) -> bool:
        """No message waits for our answer, no submission for the SMSC's."""
        return not len(self.inbox) and (self._deaf or self.window.empty)

    @property
    def load(self) -> Load:
        """What waits in it."""
        size = self._settings.window if self.submits else 0
        return Load(len(self.inbox), len(self.window), size, self.inbox.full)

    # What the owner wants. Answers are given to `inbox`; where `course.leaving`, `leave` is called after it.

    def begin(self, now: float) -> bytes:
        """The bind (4.1), to be sent first; it is connected."""
        self.course.bind_by = now + self._settings.bind_timeout_s
        self._timers.heard = self._timers.active = now
        self._own_sequence = self.window.next_sequence()
        settings = self._settings
        password = settings.password.get_secret_value()
        return codec.encode_bind(
            self._kind,
            self._own_sequence,
            settings.system_id,
            password,
            settings.system_type,
            interface_version=settings.interface_version,
            serves=codec.AddressRange(settings.address_ton, settings.address_npi, settings.address_range),
        )

    def submit(self, pdu: SubmitSm, token: object, now: float) -> bytes | Malformed | None:
        """The octets of a message; `token` comes back in a result. None: no room, or no bind for it.

        Malformed: it cannot be encoded, the status is that of an SMSC; no result follows.
        """
        if not self.submits or not self.window.free:
            return None
        sequence = self.window.open(token, now)
        octets = wire.encode_submit(pdu, sequence)
        if isinstance(octets, Malformed):
            self.window.close(sequence)
        else:
            self._timers.active = now
            self._tally.submitted += 1
        return octets

    def stop(self, deadline_s: float, now: float) -> list[bytes]:
        """Take no new work, let what is in flight end, unbind and close, all within `deadline_s`."""
        self._drain(deadline_s, now)
        return self.leave(now)

    def renew(self, fault: str, now: float) -> list[bytes]:
        """As `stop`, so that the owner binds anew; `fault` says why."""
        self.course.fault = self.course.fault or fault
        return self.stop(self._settings.bind_timeout_s, now)

    def leave(self, now: float) -> list[bytes]:
        """What is to be said once nothing is in flight any more, or the time for it is over."""
        if not self.course.may_leave(self.idle, now):
            return []
        if self.course.phase is Phase.PARTING:
            self._end("the SMSC unbound")
            return [self._farewell] if self._farewell else []
        self.course.unbind()
        self._own_sequence = self.window.next_sequence()
        return [codec.encode_unbind(self._own_sequence)]

    def tick(self, now: float) -> Step:
        """What the time asks for; to be called every `smpp.session.timers.tick_interval` seconds."""
        said: list[bytes] = []
        results: list[Outcome] = []
        self.course.hurry(now)
        if self.course.phase is Phase.OVER:
            self._end("")
        elif self.course.phase is not Phase.OPEN:
            self._keep_alive(now, said)
            if not self.inbox.full:  # else answers may lie in what we have not read
                results = [(token, None) for token in self.window.expire(now)]
                self._tally.timeouts += len(results)
            said += self.leave(now)
        return Step(said, [], results)

    def lose(self, fault: str) -> list[Outcome]:
        """The connection is gone: nobody will answer what is in flight, nobody waits for our answers."""
        self._end(fault)
        self.inbox.clear()
        return [(token, None) for token in self.window.clear()]

    # What the SMSC says.

    def hear(self, data: bytes, now: float) -> Step:
        """Take PDU after PDU from what has come (3.2); what is not whole waits for the next octets."""
        said: list[bytes] = []
        messages: list[DeliverSm] = []
        results: list[Outcome] = []
        was_bound = self.bound_at is not None
        buffer = self._rest + data if self._rest else data
        start, size = 0, len(buffer)
        take = self.inbox.take
        while size - start >= 16 and not self._deaf:
            length, command, status, sequence = read_header(buffer, start)
            if not 16 <= length <= MAX_LENGTH:
                said.append(self._lose_framing(length, sequence, now))
                break
            if (end := start + length) > size:
                break
            decode = DECODERS.get(command)
            if decode is not None:
                message = decode(sequence, buffer, start, end)
                refusal = take(message, command, sequence)
                if refusal:
                    said.append(refusal)
                else:
                    messages.append(message)  # type: ignore[arg-type]
            elif command == SUBMIT_SM_RESP:
                entry = self.window.close(sequence)
                if entry is None:
                    self._tally.strays += 1
                else:
                    results.append((entry[0], decode_answer(status, buffer, start, end)))
            else:
                self._hear_rarer(command, status, sequence, buffer[start:end], now, said, results)
            start = end
        self._rest = b"" if self._deaf else buffer[start:]
        # The beginning of a PDU that never ends is no sign of life.
        self._timers.heard = now if start else self._timers.heard
        if messages:
            self._timers.active = now
            self.inbox.weigh(messages)
        if self.course.leaving:
            said += self.leave(now)
        return Step(said, messages, results, not was_bound and self.bound_at is not None)

    def _lose_framing(self, length: int, sequence: int, now: float) -> bytes:
        self._deaf = True
        self._part(f"framing lost: a PDU of {length} octets", now)
        return nack(statuses.RINVCMDLEN, sequence)

    def _hear_rarer(
        self,
        command: int,
        status: int,
        sequence: int,
        pdu: bytes,
        now: float,
        said: list[bytes],
        results: list[Outcome],
    ) -> None:
        if command == codec.ENQUIRE_LINK:
            said.append(codec.encode_enquire_link_resp(sequence))
        elif command == codec.ENQUIRE_LINK_RESP and self._enquiries:
            self._enquiries -= 1
        elif self.course.phase is Phase.OPEN and self._is_of_own(command, sequence):
            self._hear_bind_resp(command, status, pdu, now)
        elif self.course.phase is Phase.UNBINDING and (
            command == codec.UNBIND_RESP or self._is_of_own(command, sequence)
        ):
            self._end("unbound")
        elif command == codec.UNBIND:
            self._hear_unbind(sequence, now, said)
        elif command == codec.GENERIC_NACK:
            self._tally.nacks += 1
            entry = self.window.close(sequence)
            if entry is not None:
                results.append((entry[0], SubmitResult(status or statuses.RSYSERR, "")))
        elif command == codec.ALERT_NOTIFICATION and not self.inbox.refuses:
            self._tally.alerts += 1  # nothing here waits for a phone to come back
        elif command == codec.OUTBIND:
            self._hear_outbind(now)
        else:
            refusal, counter = refuse(command, sequence)
            setattr(self._tally, counter, getattr(self._tally, counter) + 1)
            if refusal:
                said.append(refusal)

    def _is_of_own(self, command: int, sequence: int) -> bool:
        """It answers our bind or unbind. The nack of a PDU whose header was unreadable carries 0 (4.3)."""
        return bool(command & wire.RESPONSE) and (
            sequence == self._own_sequence or (command == codec.GENERIC_NACK and sequence == 0)
        )

    def _hear_bind_resp(self, command: int, status: int, pdu: bytes, now: float) -> None:
        if status != statuses.ROK:
            self._end(f"bind refused: {codec.status_name(status)}")
        elif command != self._kind.command | wire.RESPONSE:
            self._end(f"bind refused: answered by command 0x{command:08x}")
        else:
            self.course.phase, self.bound_at = Phase.BOUND, now
            self.inbox.takes, self.submits = self._kind.receives, self._kind.submits
            self.inbox.refuses = not self._kind.receives
            self.peer_system_id = codec.decode_bind_resp(pdu)
            self._tally.binds += 1

    def _hear_unbind(self, sequence: int, now: float, said: list[bytes]) -> None:
        """4.2. Before the bind it is out of place, but who says it does not want us."""
        if self.course.phase is Phase.OPEN:
            self._tally.wrong_state += 1
            said.append(wire.encode_header(codec.UNBIND_RESP, statuses.RINVBNDSTS, sequence))
            self._end("the SMSC unbound before the bind")
        elif self._farewell:  # it says so twice
            said.append(codec.encode_unbind_resp(sequence))
        else:
            self._farewell = codec.encode_unbind_resp(sequence)
            self._part("the SMSC unbound", now)

    def _hear_outbind(self, now: float) -> None:
        """4.1.7: a wish to be bound to, on a connection that the SMSC opens. This one is ours: bind anew."""
        self._tally.outbinds += 1
        self.course.fault = self.course.fault or "the SMSC sent an outbind"
        self._drain(self._settings.bind_timeout_s, now)

    def _keep_alive(self, now: float, said: list[bytes]) -> None:
        if self.inbox.full:
            self._timers.heard = now  # we do not listen, so silence proves nothing
        due = self._timers.due(now)
        if self.course.phase is Phase.PARTING:
            return
        if due is Due.DEAD:
            self.course.cut("no answer to enquire_link")
            self._end("")
        elif due is Due.ENQUIRE:
            self._enquiries += 1
            said.append(codec.encode_enquire_link(self.window.next_sequence()))
        elif due is Due.INACTIVE and self.course.phase is Phase.BOUND:
            self.course.fault = self.course.fault or "inactive"
            self._drain(self._settings.bind_timeout_s, now)

    # Every way out.

    def _drain(self, deadline_s: float, now: float) -> None:
        self.inbox.takes = self.submits = False
        self.course.drain(deadline_s, now)
        self._deaf = self._deaf or self.course.phase is Phase.OVER

    def _part(self, fault: str, now: float) -> None:
        self.inbox.takes = self.submits = False
        self.course.part(fault, now)

    def _end(self, fault: str) -> None:
        self.inbox.takes = self.submits = False
        self._deaf = True
        self.course.end(fault)
