"""What each handset has texted and received, for the page: bounded, in memory. Pure: time is an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Direction(StrEnum):
    """Which way a bubble went, seen from the phone."""

    TEXTED = "texted"
    RECEIVED = "received"


class Tick(StrEnum):
    """How far a text came, seen from the phone."""

    WAITING = "waiting"  # no gateway is bound: the operator keeps it
    SENT = "sent"  # on its way, no answer yet
    RETRYING = "retrying"  # the gateway said "later", or nothing
    ACKNOWLEDGED = "acknowledged"  # deliver_sm_resp ESME_ROK
    ANSWERED = "answered"  # a reply came after it
    REFUSED = "refused"  # the gateway said "never"
    EXPIRED = "expired"  # the operator gave up


# A reply may overtake the acknowledgement when the gateway binds a receiver and a transmitter.
_MAY_BE_ANSWERED = (Tick.SENT, Tick.RETRYING, Tick.ACKNOWLEDGED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bubble:
    """One text on the screen. Times are seconds since 1970; None: not yet, or does not apply."""

    id: str
    handset: str
    direction: Direction
    peer: str  # the short number
    text: str
    encoding: str
    segments: int
    at: float
    tick: Tick | None = None
    attempts: int = 0
    status: int = 0  # command status of the last refusal
    acknowledged_at: float | None = None
    answered_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self)


class Conversations:
    """The last `capacity` bubbles of each handset."""

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._bubbles: dict[str, deque[Bubble]] = {}

    def add(self, bubble: Bubble) -> None:
        """Put a bubble at the end; the oldest of that handset goes when there are too many."""
        self._bubbles.setdefault(bubble.handset, deque(maxlen=self._capacity)).append(bubble)

    def of(self, handset: str) -> tuple[Bubble, ...]:
        """A handset's bubbles, oldest first."""
        return tuple(self._bubbles.get(handset, ()))

    def find(self, bubble_id: str) -> Bubble | None:
        """A bubble by its id, if it is still kept."""
        return next((b for bubbles in self._bubbles.values() for b in bubbles if b.id == bubble_id), None)

    def progress(
        self, bubble_id: str, tick: Tick, now: float, *, attempts: int = 0, status: int = 0
    ) -> Bubble | None:
        """A text came further. Returns the bubble as it is now, None when it is no longer kept."""
        bubble = self.find(bubble_id)
        if bubble is None:
            return None
        acknowledged = now if tick is Tick.ACKNOWLEDGED else bubble.acknowledged_at
        if bubble.tick is Tick.ANSWERED:
            tick = Tick.ANSWERED
        return self._put(
            replace(
                bubble,
                tick=tick,
                attempts=max(attempts, bubble.attempts),
                status=status,
                acknowledged_at=acknowledged,
            )
        )

    def answer(self, handset: str, peer: str, now: float) -> Bubble | None:
        """A reply from `peer` came: the latest text to it that had none counts as answered."""
        for bubble in reversed(self._bubbles.get(handset, ())):
            if bubble.peer == peer and bubble.tick in _MAY_BE_ANSWERED:
                return self._put(replace(bubble, tick=Tick.ANSWERED, answered_at=now))
        return None

    def clear(self, handset: str) -> None:
        """Forget a handset's conversation."""
        self._bubbles.pop(handset, None)

    def _put(self, bubble: Bubble) -> Bubble:
        kept = self._bubbles[bubble.handset]
        place = next(i for i, old in enumerate(kept) if old.id == bubble.id)
        kept[place] = bubble
        return bubble
