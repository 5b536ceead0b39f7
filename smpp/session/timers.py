"""When a session must do something because of the time; pure, the time is an argument (SMPP 3.4, 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Due(StrEnum):
    """What a tick of the clock asks for."""

    NOTHING = "nothing"
    ENQUIRE = "enquire"  # send an enquire_link now
    DEAD = "dead"  # the peer has not been heard since it was asked: end the session
    INACTIVE = "inactive"  # no message either way for too long: unbind and bind anew


@dataclass(slots=True)
class Timers:
    """Clock of one session; all times in seconds of one monotonic clock.

    Anything that the peer sends proves it alive: a busy SMSC may answer an enquire_link late.
    The owner sets `heard` on each read and `active` on each message; `inactivity_s` 0 means never.
    """

    enquire_link_s: float
    enquire_link_timeout_s: float
    heard: float
    active: float
    inactivity_s: float = 0.0
    asked: float | None = None

    def due(self, now: float) -> Due:
        """What must be done at `now`. ENQUIRE is said once; the question stands until the peer is heard."""
        if self.asked is not None:
            if self.heard >= self.asked:
                self.asked = None
            elif now - self.asked >= self.enquire_link_timeout_s:
                return Due.DEAD
        if self.inactivity_s and now - self.active >= self.inactivity_s:
            return Due.INACTIVE
        if self.asked is None and now - self.heard >= self.enquire_link_s:
            self.asked = now
            return Due.ENQUIRE
        return Due.NOTHING


def tick_interval(*timers_s: float) -> float:
    """Seconds between ticks: often enough for the shortest of the timers, seldom enough not to be felt."""
    return max(0.01, min(0.5, min(timers_s) / 4))
