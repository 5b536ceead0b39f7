"""One bind to an SMSC on an asyncio transport: does what smpp.session.dialogue decides.

No task and no future is made for a message: what one read of the socket brought is handed on as a list, and
what one turn of the loop wants to say leaves in one write. The owner (smpp.link.link) is told by callbacks.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

import structlog

from config.link_settings import LinkSettings
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import DeliverSm, Malformed, Outcome, SubmitResult, SubmitSm
from smpp.session.counters import Load, Tally
from smpp.session.dialogue import Dialogue
from smpp.session.phases import Closing, Step
from smpp.session.pipe import Pipe
from smpp.session.timers import tick_interval
from smpp.session.trace import Trace

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
        host: str = "",
    ) -> None:
        """`max_unanswered`: messages waiting for their answer, from which on reading is paused.

        `inactivity_s`: without any message for so long the session is unbound; 0: never. `host`: of the
        SMSC, for the log.
        """
        self.kind = kind
        self.host = host
        self.bound = False  # from the SMSC's consent to the end of the connection
        self._handler = handler
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._dialogue = Dialogue(
            settings,
            kind,
            tally,
            max_unanswered=max_unanswered,
            inactivity_s=inactivity_s,
        )
        self._inbox = self._dialogue.inbox
        self._course = self._dialogue.course
        self._pipe: Pipe | None = None  # once connected
        self._trace = Trace(settings.name) if settings.trace else None
        self._name = settings.name
        self._odd = 0  # oddities of the link that are told
        self._closing = Closing.NOT_YET  # as it was done
        self._tick_handle: asyncio.TimerHandle | None = None
        self._tick_s = tick_interval(
            settings.enquire_link_s,
            settings.enquire_link_timeout_s,
            settings.response_timeout_s,
            settings.bind_timeout_s,
        )

    @property
    def bound_at(self) -> float:
        """When the SMSC accepted the bind, by the loop's clock; 0 if it has not."""
        return self._dialogue.bound_at or 0.0

    @property
    def fault(self) -> str:
        """Why it ends or ended; "" while it does not."""
        return self._course.fault

    @property
    def peer_system_id(self) -> str:
        """The SMSC's name of itself."""
        return self._dialogue.peer_system_id

    @property
    def window_free(self) -> int:
        """Submissions that may be sent now; 0 unless bound for sending."""
        dialogue = self._dialogue
        return dialogue.window.free if dialogue.submits else 0

    @property
    def in_flight(self) -> int:
        """Submissions that wait for the SMSC's answer."""
        return len(self._dialogue.window)

    @property
    def load(self) -> Load:
        """What waits in this session."""
        load, pipe = self._dialogue.load, self._pipe
        return load if pipe is None else load._replace(resting=int(pipe.rests), unwritten=pipe.unwritten)

    @property
    def clogged(self) -> bool:
        """What was said waits for the network to take it."""
        return self._pipe is not None and self._pipe.clogged

    def flush(self) -> None:
        """Write what was said in this turn of the loop, now."""
        if self._pipe is not None:
            self._pipe.flush()

    def answer(self, sequence: int, status: int) -> bool:
        """Answer the message with this sequence number; it leaves at the end of this turn of the loop.

        False if nothing waits for it: it was answered already, or its session is over.
        """
        octets = self._inbox.answer(sequence, status)
        if octets is None or self._pipe is None:
            return False
        self._send(octets)
        if self._pipe.full and not self._inbox.full:
            self._pipe.set_full(False)
        if self._course.leaving:
            self._say(self._dialogue.leave(self._loop.time()))
        return True

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        """Send a message; False if there is no room or no bind for it.

        After True exactly one Outcome with `token` follows. A PDU that cannot be encoded is not sent: its
        Outcome carries the status with which an SMSC would refuse it.
        """
        octets = self._dialogue.submit(pdu, token, self._loop.time())
        if octets is None or self._pipe is None:
            return False
        if type(octets) is Malformed:
            outcome: Outcome = (token, SubmitResult(octets.status, ""))
            self._loop.call_soon(self._handler.on_results, self, [outcome])
        else:
            self._send(octets)  # type: ignore[arg-type]
        return True

    def stop(self, deadline_s: float) -> None:
        """Take no new work, let what is in flight end, unbind and close, all within `deadline_s`."""
        self._say(self._dialogue.stop(deadline_s, self._loop.time()))

    def renew(self, fault: str) -> None:
        """As `stop`, so that the owner binds anew; `fault` says why."""
        self._say(self._dialogue.renew(fault, self._loop.time()))

    def abort(self, fault: str) -> None:
        """Cut the connection without a word."""
        self._course.cut(fault)
        self._settle()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind (4.1)."""
        # TCP gives no other kind; uvloop's is not a subclass.
        self._pipe = Pipe(cast(asyncio.Transport, transport), self._loop)
        self._tally.sessions.append(self)
        self._say([self._dialogue.begin(self._loop.time())])
        self._tick_handle = self._loop.call_later(self._tick_s, self._tick)

    def data_received(self, data: bytes) -> None:
        """Octets of the SMSC."""
        if self._trace is not None:
            self._trace.heard(data)
        self._do(self._dialogue.hear(data, self._loop.time()))
        if len(self._tally.oddities) != self._odd:
            self._tell_oddities()

    def pause_writing(self) -> None:
        """The peer does not read."""
        if self._pipe is not None:
            self._pipe.set_choked(True)

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._pipe is not None:
            self._pipe.set_choked(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end: results of what was in flight, then the word that it is over."""
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        if self in self._tally.sessions:
            self._tally.sessions.remove(self)
        self.bound = False
        lost = self._dialogue.lose(f"connection lost: {exc}" if exc else "the SMSC closed the connection")
        if lost:
            self._handler.on_results(self, lost)
        self._handler.on_closed(self)

    # Doing what was decided.

    def _tell_oddities(self) -> None:
        """Each once for a link, whichever session meets it."""
        self._odd = len(self._tally.oddities)
        for what in self._tally.untold():
            log.warning("smsc oddity", link=self._name, what=what)

    def _tick(self) -> None:
        self._tick_handle = self._loop.call_later(self._tick_s, self._tick)
        self._do(self._dialogue.tick(self._loop.time()))

    def _do(self, step: Step) -> None:
        said, messages, results, bound = step
        if said or self._inbox.full or self._course.closing is not Closing.NOT_YET:
            self._say(said)
        if bound:
            self.bound = True
            self._handler.on_bound(self)
        if messages:
            self._handler.on_messages(self, messages)
        if results:
            self._handler.on_results(self, results)

    def _say(self, said: list[bytes]) -> None:
        if self._pipe is not None:
            for octets in said:
                self._send(octets)
        self._settle()

    def _send(self, octets: bytes) -> None:
        if self._trace is not None:
            self._trace.said(octets)
        if self._pipe is not None:
            self._pipe.send(octets)

    def _settle(self) -> None:
        """Read or rest, close or not, as it was decided."""
        pipe = self._pipe
        if pipe is None:
            return
        if pipe.full is not self._inbox.full:
            pipe.set_full(self._inbox.full)
        closing = self._course.closing
        if closing is not self._closing:
            self._closing = closing
            if closing is Closing.AT_ONCE:
                pipe.abort()
            else:  # what is answered in this turn of the loop leaves first
                self._loop.call_soon(pipe.close)
