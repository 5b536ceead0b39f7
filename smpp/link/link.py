"""A link to one SMSC: all its binds kept up, its pace kept, one face for intake and sender."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import structlog

from config.link_settings import Address, LinkSettings
from config.outage import Outage
from smpp.link.bind import Line
from smpp.protocol import statuses
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import DeliverSm, Outcome, SubmitSm
from smpp.session.counters import Tally
from smpp.session.session import Session

# After the deadline of a stop: for the close itself.
_GRACE_S: Final = 1.0

log = structlog.get_logger()


class LinkState(StrEnum):
    """How a link stands."""

    DOWN = "down"  # between two attempts, or not yet started
    CONNECTING = "connecting"
    PARTIAL = "partial"  # some of its binds stand
    BOUND = "bound"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What decides whether a message may go over a link now. Times in seconds of the loop's clock."""

    bound: bool  # a bind over which messages can be submitted stands
    dead: bool  # none stands, and each was tried anew in vain; or the link is being stopped
    throttled_until: float  # nothing is submitted before; 0: not throttled
    free: int  # segments that may be submitted now
    window: int  # segments that wait for the SMSC's answer


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
        tally: Tally | None = None,
    ) -> None:
        """`max_unanswered`: see smpp.session.session.Session.

        `tally`: of this link's forerunner, counted on.
        """
        self.name = settings.name
        self.settings = settings
        self.tally = tally or Tally()
        self.state = LinkState.DOWN
        self.outages = 0  # how often a session ended and none was left to submit on
        self._handler = handler
        self._max_unanswered = max_unanswered
        self._lines = [
            Line(
                settings,
                BindKind(kind),
                self._make_session,
                self._refresh,
                first=settings.spread * at,
            )
            for at, kind in enumerate(settings.binds)
        ]
        self._outward = [line for line in self._lines if line.kind.submits]
        self._loop = asyncio.get_running_loop()
        self._throttled_until = 0.0  # after a throttling answer; 0: not throttled
        self._release: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._down = Outage("smsc link down", link=self.name)

    @property
    def free(self) -> int:
        """Segments that may be submitted now: room in the windows, no throttling wait, bound."""
        if self._throttled_until:
            return 0
        return sum(line.free for line in self._outward)

    @property
    def clogged(self) -> bool:
        """A submit of now could leave later: on a bind, earlier ones wait for the network to take them."""
        return any(line.clogged for line in self._outward)

    def flush(self) -> None:
        """Write what was submitted in this turn of the loop, now."""
        for line in self._outward:
            line.flush()

    @property
    def window(self) -> int:
        """Segments that may wait for the SMSC's answer when all binds stand."""
        return self.settings.window * len(self._outward)

    @property
    def health(self) -> Health:
        """How fit the link is for a message now."""
        bound = any(line.bound for line in self._outward)
        return Health(
            bound=bound and not self._stopping,
            dead=self._stopping or (not bound and all(line.failed for line in self._outward)),
            throttled_until=self._throttled_until,
            free=self.free,
            window=sum(line.in_flight for line in self._outward),
        )

    @property
    def fault(self) -> str:
        """Why binds that do not stand now were lost or never stood; "" if all stand."""
        faults = [f"{line.kind}: {line.fault}" for line in self._lines if line.fault and not line.bound]
        return "; ".join(dict.fromkeys(faults))  # what befell several alike is said once

    @property
    def binds(self) -> list[tuple[str, str]]:
        """Each bind's kind, and the host at which it stands; "" where it does not."""
        stands = [(line, line.session) for line in self._lines]
        return [
            (str(line.kind), session.host if session is not None and session.bound else "")
            for line, session in stands
        ]

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        """Send one segment; False if there is no room now (`on_ready` will say when).

        After True exactly one Outcome with `token` comes to `on_results`.
        """
        line = self._least_loaded()
        if line is None or line.session is None or self._throttled_until:
            return False
        line.submitted += 1
        return line.session.submit(pdu, token)

    async def run(self) -> None:
        """Keep the link up until `stop`; cancelling it cuts the connections."""
        self._tasks = [asyncio.create_task(line.run()) for line in self._lines]
        try:
            await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._release is not None:
                self._release.cancel()
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

    # What the sessions and lines tell (smpp.session.session.SessionHandler).

    def on_bound(self, session: Session) -> None:
        """A bind stands."""
        self._down.over()
        passed = next((line.passed_over for line in self._lines if line.session is session), "")
        log.info(
            "smsc bound",
            link=self.name,
            bind=str(session.kind),
            host=session.host,
            peer=session.peer_system_id,
            **({"passed_over": passed} if passed else {}),
        )
        self._refresh()
        self._offer()

    def on_messages(self, session: Session, messages: list[DeliverSm]) -> None:
        """Hand messages on."""
        self._handler.on_messages(self, session, messages)

    def on_results(self, session: Session, results: list[Outcome]) -> None:
        """Hand results on; after a throttling answer nothing is submitted for the link's waiting time, if
        it has one.

        An SMSC that knows nothing of a bind is bound to anew.
        """
        refused = [result.status for _, result in results if result is not None and result.status]
        throttled = sum(1 for status in refused if self.settings.refusal(status).slows)
        if throttled:
            self.tally.throttled += throttled
            if self.settings.throttle_wait_s:
                self._hold()
        if statuses.RINVBNDSTS in refused and session.bound:
            session.renew("the SMSC has lost the bind")
        self._handler.on_results(self, results)
        self._offer()

    def on_closed(self, session: Session) -> None:
        """A session is over; its line will make another."""
        self.tally.losses += 1
        log.warning(
            "smsc session ended",
            link=self.name,
            bind=str(session.kind),
            host=session.host,
            fault=session.fault,
        )
        for line in self._lines:
            line.on_closed(session)
        if not any(line.bound for line in self._outward):
            self.outages += 1
        self._refresh()

    def _make_session(self, kind: BindKind, address: Address) -> Session:
        return Session(
            self.settings,
            kind,
            self,
            self.tally,
            max_unanswered=self._max_unanswered,
            inactivity_s=self.settings.inactivity_s,
            host=str(address),
        )

    def _least_loaded(self) -> Line | None:
        """The bind with the most room; among equals the one that was used least. None if all are full."""
        best, most = None, (0, 0)
        for line in self._outward:
            room = (line.free, -line.submitted)
            if room[0] and (best is None or room > most):
                best, most = line, room
        return best

    def _offer(self) -> None:
        if self.free > 0:
            self._handler.on_ready(self)

    def _hold(self) -> None:
        self._throttled_until = self._loop.time() + self.settings.throttle_wait_s
        if self._release is not None:
            self._release.cancel()
        self._release = self._loop.call_at(self._throttled_until, self._let_go)

    def _let_go(self) -> None:
        self._throttled_until, self._release = 0.0, None
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
