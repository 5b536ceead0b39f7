"""A small SMSC (SMPP 3.4) for trying things out: it keeps what its handsets text until a gateway has it.

Texts go out as `deliver_sm`, long ones in parts with a user data header (3GPP TS 23.040, 9.2.3.24.1), and
come again until they are acknowledged. What a gateway submits reaches the listener, joined, and a delivery
receipt goes back where one was asked for. `smpp.simulator.deliveries` decides what is sent when.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.domain.sms import segments
from smpp.protocol import statuses
from smpp.protocol.codec import BindRequest
from smpp.protocol.pdus import DeliverSm, Part, SubmitResult, SubmitSm
from smpp.simulator import receipts
from smpp.simulator.deliveries import Deliveries, RetryRule, Verdict
from smpp.simulator.joining import Joining, Reply
from smpp.simulator.session import Session, Watch

SYSTEM_ID = "undercap"
PASSWORD = "demo"  # noqa: S105 - where nobody has chosen another

_RBINDFAIL, _RINVPASWD, _RINVSYSID = 0x0D, 0x0E, 0x0F
_QUEUE = 2_000  # deliveries that wait or are in flight
_MOST_SESSIONS = 16
_LOOK_AGAIN_S = 1.0  # when everything due is held up by a window that is full, or by nobody being bound
_INTERNATIONAL, _SHORT_NUMBER = 1, 3  # type of number (SMPP 3.4, 5.2.5); numbering plan E.164 is 1


class QueueFullError(Exception):
    """The operator's queue is full; the text was not taken."""


class Listener(Protocol):
    """Who looks on: the page. Called from the loop; must not block."""

    def on_gateways(self, bound: int) -> None:
        """So many binds are up now."""

    def on_sent(self, text_id: str, attempt: int) -> None:
        """A text, or a part of it, went to a gateway."""

    def on_verdict(self, text_id: str, verdict: Verdict, status: int) -> None:
        """A text is acknowledged (all of it), refused, expired, or comes again."""

    def on_reply(self, reply: Reply) -> None:
        """A gateway's message for a handset, whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manners:
    """How this operator behaves. Times in seconds."""

    retry: RetryRule = field(default_factory=RetryRule)
    watch: Watch = field(default_factory=Watch)
    password: str = PASSWORD  # of a gateway that binds
    window: int = 10
    receipt_after_s: float = 0.02


class _Key(NamedTuple):
    receipt: bool
    id: str
    number: int


class Smsc:
    """Start it, `text` from a handset, stop it."""

    def __init__(self, listener: Listener, *, host: str, port: int, manners: Manners | None = None) -> None:
        self._listener = listener
        self._host, self._port = host, port
        self._manners = manners or Manners()
        self._deliveries = Deliveries(rule=self._manners.retry, capacity=_QUEUE)
        self._messages: dict[Hashable, DeliverSm] = {}
        self._parts_left: dict[str, int] = {}
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._joining = Joining()
        self._references = itertools.cycle(range(1, 256))
        self._message_ids = (f"{time.time_ns() // 1_000_000_000:08x}{n:06x}" for n in itertools.count(1))
        self._look = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens; the one that was given, or the one found for 0."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._port

    @property
    def gateways(self) -> int:
        """Binds that are up."""
        return sum(session.kind is not None for session in self._sessions)

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        self._pump = asyncio.create_task(self._run())

    async def stop(self, deadline_s: float) -> None:
        """Unbind everybody and stop listening; after `deadline_s` connections are cut."""
        if self._server is None or self._pump is None:
            return
        self._server.close()
        self._pump.cancel()
        for session in self._sessions:
            session.unbind()
        if self._sessions:
            await asyncio.wait(self._sessions.values(), timeout=deadline_s)
        for session, task in list(self._sessions.items()):
            session.close()
            task.cancel()
        await asyncio.gather(self._pump, *self._sessions.values(), return_exceptions=True)

    def text(self, text_id: str, source: str, destination: str, text: str) -> segments.Segments:
        """A handset texts. `source`: E.164 digits; `text_id` comes back to the listener.

        Returns how the text travels. Raises QueueFullError.
        """
        split = segments.split(text)
        if not self._deliveries.has_room(len(split.parts)):
            raise QueueFullError("The operator's queue is full.")
        total = len(split.parts)
        reference = next(self._references) if total > 1 else 0
        for number, body in enumerate(split.parts, start=1):
            message = DeliverSm(
                0, source, _INTERNATIONAL, 1, destination, 0, split.data_coding, body,
                Part(reference, total, number) if total > 1 else None,
            )  # fmt: skip
            self._queue(_Key(False, text_id, number), message)
        self._parts_left[text_id] = total
        return split

    # What a session asks

    def admit(self, session: Session, bind: BindRequest) -> int:
        """Command status for a bind; the address range is not looked at."""
        del session
        if bind.system_id != SYSTEM_ID:
            return _RINVSYSID
        if bind.password != self._manners.password:
            return _RINVPASWD
        return statuses.ROK if self.gateways < _MOST_SESSIONS else _RBINDFAIL

    def submitted(self, pdu: SubmitSm) -> SubmitResult:
        """Take a message for a handset."""
        if not pdu.destination:
            return SubmitResult(statuses.RINVDSTADR, "")
        if not self._deliveries.has_room(1):
            return SubmitResult(statuses.RMSGQFUL, "")
        message_id = next(self._message_ids)
        reply = self._joining.take(pdu)
        if reply is not None:
            self._listener.on_reply(reply)
        if receipts.wanted(pdu.registered_delivery):
            receipt = receipts.delivered(pdu, message_id, time.time())
            self._queue(_Key(True, message_id, 0), receipt, delay_s=self._manners.receipt_after_s)
        return SubmitResult(statuses.ROK, message_id)

    def answered(self, session: Session, key: Hashable, status: int) -> None:
        """An answer to a delivery; the session has room again."""
        del session
        self._judge([(key, self._deliveries.answered(key, status, _now()))], status)
        self._look.set()

    def changed(self) -> None:
        """A bind came up."""
        self._listener.on_gateways(self.gateways)
        self._look.set()

    # The one loop

    async def _run(self) -> None:
        while True:
            self._look.clear()
            now = _now()
            late = self._deliveries.overdue(now)
            for session in self._sessions:
                session.forget({key for key, _ in late})
            self._judge(late, 0)
            room = sum(session.room for session in self._sessions)
            for key in self._deliveries.take(now, room):
                self._send(key)
            at = self._deliveries.next_at()
            wait_s = None if at is None else (at - now if at > now else _LOOK_AGAIN_S)
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it swallows a cancellation that comes with the event.
                async with asyncio.timeout(wait_s):
                    await self._look.wait()

    def _send(self, key: Hashable) -> None:
        session = max(self._sessions, key=lambda one: one.room)
        if not session.deliver(key, self._messages[key], dest_ton=_SHORT_NUMBER):
            self._judge([(key, self._deliveries.answered(key, statuses.RINVDSTADR, _now()))], 0)
        elif isinstance(key, _Key) and not key.receipt:
            self._listener.on_sent(key.id, self._deliveries.attempts(key))

    def _judge(self, verdicts: Iterable[tuple[Hashable, Verdict]], status: int) -> None:
        """Tell the listener what became of texts; a text is acknowledged with its last part."""
        for key, verdict in verdicts:
            if verdict is Verdict.UNKNOWN or not isinstance(key, _Key):
                continue
            if verdict is not Verdict.RETRYING:
                self._messages.pop(key, None)
            if key.receipt or key.id not in self._parts_left:
                continue  # nobody looks on, or another part of the text was refused
            if verdict is Verdict.ACKNOWLEDGED:
                self._parts_left[key.id] -= 1
                if self._parts_left[key.id]:
                    continue
            if verdict is not Verdict.RETRYING:
                del self._parts_left[key.id]
            self._listener.on_verdict(key.id, verdict, status)

    def _queue(self, key: _Key, message: DeliverSm, *, delay_s: float = 0.0) -> None:
        self._messages[key] = message
        self._deliveries.add(key, _now(), delay_s=delay_s)
        self._look.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer, self, watch=self._manners.watch, window=self._manners.window)
        task = asyncio.current_task()
        if task is None:  # pragma: no cover  # asyncio runs this in a task, always
            return
        self._sessions[session] = task
        try:
            await session.serve()
        finally:
            del self._sessions[session]
            self._judge(self._deliveries.lost(session.unanswered.values(), _now()), 0)
            session.close()
            self.changed()


def _now() -> float:
    return asyncio.get_running_loop().time()
