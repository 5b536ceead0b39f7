"""How far a session has come, and by when it must have come further. Pure; times are seconds, monotonic."""

from __future__ import annotations

from typing import Final

from smpp.session.phases import Closing, Phase

# A peer that unbinds gets the answers that we owe it, and may send those that it owes us, for so long.
FAREWELL_S: Final = 2.0
# Share of a stop's deadline in which answers and results may still come; the rest is for the unbind.
DRAIN_SHARE: Final = 0.8
_NEVER: Final = float("inf")


class Course:
    """From the connection to the close; a phase that has passed never comes again."""

    __slots__ = ("_close_by", "_leave_by", "bind_by", "closing", "fault", "leaving", "phase")

    def __init__(self) -> None:
        self.phase = Phase.OPEN
        self.leaving = False  # it waits only for what is in flight, then has something to say
        self.closing = Closing.NOT_YET
        self.fault = ""  # why it ends, once it does; the first reason counts
        self.bind_by = self._leave_by = self._close_by = _NEVER  # bind_by: for the answer to the bind

    def may_leave(self, idle: bool, now: float) -> bool:
        """Nothing is in flight any more, or its time is over."""
        return self.leaving and (idle or now >= self._leave_by)

    def drain(self, deadline_s: float, now: float) -> None:
        """No new work; all is to be closed within `deadline_s`. Nothing to drain if there is no bind."""
        self._close_by = min(self._close_by, now + deadline_s)
        if self.phase is Phase.OPEN:
            self.end("stopped")
        elif self.phase is Phase.BOUND:
            self.phase, self.leaving = Phase.DRAINING, True
            self._leave_by = now + deadline_s * DRAIN_SHARE

    def unbind(self) -> None:
        """Our unbind is said."""
        self.phase, self.leaving = Phase.UNBINDING, False
        self.fault = self.fault or "unbound"

    def part(self, fault: str, now: float) -> None:
        """The SMSC is done: what is owed may still leave."""
        self.fault = self.fault or fault
        if self.phase is not Phase.OVER:
            self.phase, self.leaving = Phase.PARTING, True
            self._leave_by = now + FAREWELL_S

    def end(self, fault: str) -> None:
        """Nothing is read any more; closed once all that is said is written."""
        self.fault = self.fault or fault
        self.phase, self.leaving = Phase.OVER, False
        if self.closing is Closing.NOT_YET:
            self.closing = Closing.POLITELY

    def cut(self, fault: str) -> None:
        """Closed without a word."""
        self.end(fault)
        self.closing = Closing.AT_ONCE

    def hurry(self, now: float) -> None:
        """Cut what has overstayed: a close that is not read, a bind that is not answered."""
        if self.phase is Phase.OVER:
            self._close_by = min(self._close_by, now + FAREWELL_S)
        if now >= self._close_by:
            self.cut("closed without the SMSC's consent")
        elif self.phase is Phase.OPEN and now >= self.bind_by:
            self.cut("no answer to the bind")
