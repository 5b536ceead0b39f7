"""A link to one SMSC: its bind or pair of binds kept up, its pace kept, one face for intake and sender."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Final, Protocol

import structlog

from config.outage import Outage
from config.settings import LinkSettings
from smpp.codec import BindKind
from smpp.line import Line
from smpp.pace import TokenBucket
from smpp.pdus import DeliverSm, Outcome, SubmitSm
from smpp.session import Session
from smpp.tally import Tally

_KINDS: Final = {
    "transceiver": (BindKind.TRANSCEIVER,),
    "receiver+transmitter": (BindKind.RECEIVER, BindKind.TRANSMITTER),
}
# After the deadline of a stop: for the close itself.
_GRACE_S: Final = 1.0

log = structlog.get_logger()


class LinkState(StrEnum):
    """How a link stands."""

    DOWN = "down"  # between two attempts, or not yet started
    CONNECTING = "connecting"
    PARTIAL = "partial"  # one of a pair is bound
    BOUND = "bound"
    STOPPING = "stopping"
    STOPPED = "stopped"


class LinkHandler(Protocol):
    """What the gateway's side of a link is told. Called from the loop: be quick, and do not raise."""

    def on_messages(self, link: Link, session: Session, messages: list[DeliverSm]) -> None:
        """Messages of one read; each is to be answered by `session.answer(sequence, status)`."""

    def on_results(self, link: Link, results: list[Outcome]) -> None:
        """What became of submissions, one Outcome for each submit that returned True."""

    def on_ready(self, link: Link) -> None:
        """There is, or may be, room to submit: see `link.free`."""

    def on_state(self, link: Link, state: LinkState) -> None:
        """The link's state has changed."""


class Link:
    """One SMSC. `run` it in a task; `stop` it from another."""

    def __init__(
        self,
        settings: LinkSettings,
        handler: LinkHandler,
        *,
        max_unanswered: int = 2000,
        inactivity_s: float = 0.0,
    ) -> None:
        """`max_unanswered`, `inactivity_s`: see smpp.session.Session."""
        self.name = settings.name
        self.settings = settings
        self.tally = Tally()
        self.state = LinkState.DOWN
        self._handler = handler
        self._max_unanswered = max_unanswered
        self._inactivity_s = inactivity_s
        self._lines = [
            Line(settings, kind, self._make_session, self._refresh) for kind in _KINDS[settings.bind]
        ]
        self._sender = self._lines[-1]
        self._loop = asyncio.get_running_loop()
        self._bucket = TokenBucket(settings.segments_per_s, self._loop.time())
        self._held = False  # after a throttling answer
        self._release: asyncio.TimerHandle | None = None
        self._waking: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._down = Outage("smsc link down", link=self.name)

    @property
    def free(self) -> int:
        """Segments that may be submitted now: room in the window, pace, no throttling wait, bound."""
        session = self._sender.session
        if session is None or self._held:
            return 0
        room = session.window_free
        return min(room, self._bucket.available(self._loop.time())) if self._bucket.limited else room

    @property
    def fault(self) -> str:
        """Why binds were lost or never stood, last; "" if none was."""
        return "; ".join(f"{line.kind}: {line.fault}" for line in self._lines if line.fault)

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        """Send one segment; False if there is no room now (`on_ready` will say when).

        After True exactly one Outcome with `token` comes to `on_results`.
        """
        session = self._sender.session
        if session is None or self._held or not session.window_free:
            return False
        if self._bucket.limited:
            now = self._loop.time()
            if not self._bucket.take(now):
                self._wake_in(self._bucket.wait_s(now))
                return False
            if not self._bucket.available(now):
                self._wake_in(self._bucket.wait_s(now))
        return session.submit(pdu, token)

    async def run(self) -> None:
        """Keep the link up until `stop`; cancelling it cuts the connections."""
        self._tasks = [asyncio.create_task(line.run()) for line in self._lines]
        try:
            await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for timer in (self._waking, self._release):
                if timer is not None:
                    timer.cancel()
            self._set_state(LinkState.STOPPED)

    async def stop(self, deadline_s: float) -> None:
        """No new work; answers and results in flight may come, then unbind and close.

        Messages that the SMSC still sends get the link's temporary status. Returns once all is closed, at
        the latest shortly after `deadline_s`.
        """
        self._stopping = True
        self._set_state(LinkState.STOPPING)
        for line in self._lines:
            line.stop(deadline_s)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=deadline_s + _GRACE_S)
            for task in self._tasks:
                task.cancel()

    # What the sessions and lines tell (smpp.session.SessionHandler).

    def on_bound(self, session: Session) -> None:
        """A bind stands."""
        self._down.over()
        log.info("smsc bound", link=self.name, bind=str(session.kind), peer=session.peer_system_id)
        self._refresh()
        self._offer()

    def on_messages(self, session: Session, messages: list[DeliverSm]) -> None:
        """Hand messages on."""
        self._handler.on_messages(self, session, messages)

    def on_results(self, session: Session, results: list[Outcome]) -> None:
        """Hand results on; after a throttling answer nothing is submitted for the link's waiting time."""
        del session
        throttled = sum(
            1
            for _, result in results
            if result is not None and result.status and self.settings.refusal(result.status).slows
        )
        if throttled:
            self.tally.throttled += throttled
            self._hold()
        self._handler.on_results(self, results)
        self._offer()

    def on_closed(self, session: Session) -> None:
        """A session is over; its line will make another."""
        self.tally.losses += 1
        log.warning("smsc session ended", link=self.name, bind=str(session.kind), fault=session.fault)
        for line in self._lines:
            line.on_closed(session)
        self._refresh()

    def _make_session(self, kind: BindKind) -> Session:
        return Session(
            self.settings,
            kind,
            self,
            self.tally,
            max_unanswered=self._max_unanswered,
            inactivity_s=self._inactivity_s,
        )

    def _offer(self) -> None:
        if self.free > 0:
            self._handler.on_ready(self)

    def _hold(self) -> None:
        self._held = True
        if self._release is not None:
            self._release.cancel()
        self._release = self._loop.call_later(self.settings.throttle_wait_s, self._let_go)

    def _let_go(self) -> None:
        self._held, self._release = False, None
        self._offer()

    def _wake_in(self, delay_s: float) -> None:
        if self._waking is None:
            self._waking = self._loop.call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._offer()

    def _refresh(self) -> None:
        if self._stopping:
            return
        bound = sum(line.bound for line in self._lines)
        if bound == len(self._lines):
            self._set_state(LinkState.BOUND)
        elif bound:
            self._set_state(LinkState.PARTIAL)
        elif any(line.trying for line in self._lines):
            self._set_state(LinkState.CONNECTING)
        else:
            self._set_state(LinkState.DOWN)

    def _set_state(self, state: LinkState) -> None:
        if state is self.state:
            return
        self.state = state
        if state is LinkState.DOWN:
            self._down.on(self.fault)
        self._handler.on_state(self, state)
