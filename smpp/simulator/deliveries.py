"""What the simulated operator still has to hand to the gateway, and when. Pure: time is an argument.

A delivery is one `deliver_sm`: a part of a text, or a receipt. It ends when the gateway answers ESME_ROK,
refuses it for good, or when it has grown too old. Until then it comes again: after no answer, after a
temporary status, after a lost session. That is what real SMSCs do (SMPP 3.4, 4.6.2 and 5.1.3).
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum

# ESME_RSYSERR, ESME_RMSGQFUL, ESME_RTHROTTLED, ESME_RX_T_APPN: try again later.
TEMPORARY = frozenset({0x08, 0x14, 0x58, 0x64})


class Verdict(StrEnum):
    """What became of one attempt."""

    ACKNOWLEDGED = "acknowledged"
    RETRYING = "retrying"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # an answer to nothing that is in flight: late, or doubled


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryRule:
    """How the simulated SMSC insists. All in seconds."""

    response_timeout_s: float = 10.0
    first_backoff_s: float = 0.5
    max_backoff_s: float = 10.0
    validity_s: float = 86_400.0

    def backoff_s(self, attempts: int) -> float:
        """Wait before the next attempt when `attempts` have failed: doubled each time, up to a cap."""
        return float(min(self.max_backoff_s, self.first_backoff_s * 2 ** min(attempts - 1, 20)))


@dataclass(slots=True)
class _Delivery:
    added_at: float
    due_at: float
    attempts: int = 0
    in_flight: bool = False


class Deliveries:
    """The queue. `capacity` bounds it; keys are the caller's and come back in the answers."""

    def __init__(self, *, rule: RetryRule, capacity: int) -> None:
        self._rule = rule
        self._capacity = capacity
        self._waiting: dict[Hashable, _Delivery] = {}
        self._agenda: list[tuple[float, int, Hashable]] = []  # when, tie-break, key; some stale
        self._count = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def has_room(self, wanted: int) -> bool:
        """Whether `wanted` more deliveries fit."""
        return len(self._waiting) + wanted <= self._capacity

    def add(self, key: Hashable, now: float, *, delay_s: float = 0.0) -> None:
        """Queue a delivery, due `delay_s` from `now`. The caller has asked `has_room`."""
        self._waiting[key] = _Delivery(added_at=now, due_at=now + delay_s)
        self._note(key, now + delay_s)

    def take(self, now: float, room: int) -> list[Hashable]:
        """Up to `room` deliveries that are due; they count as sent at `now`."""
        taken: list[Hashable] = []
        while self._agenda and len(taken) < room and self._agenda[0][0] <= now:
            when, _, key = heapq.heappop(self._agenda)
            delivery = self._waiting.get(key)
            if delivery is None or delivery.in_flight or delivery.due_at != when:
                continue
            delivery.in_flight = True
            delivery.attempts += 1
            delivery.due_at = now + self._rule.response_timeout_s
            self._note(key, delivery.due_at)
            taken.append(key)
        return taken

    def answered(self, key: Hashable, status: int, now: float) -> Verdict:
        """The gateway answered `key` with a command status."""
        delivery = self._waiting.get(key)
        if delivery is None or not delivery.in_flight:
            return Verdict.UNKNOWN
        if status == 0:
            del self._waiting[key]
            return Verdict.ACKNOWLEDGED
        if status not in TEMPORARY:
            del self._waiting[key]
            return Verdict.REFUSED
        return self._again(key, delivery, now, self._rule.backoff_s(delivery.attempts))

    def overdue(self, now: float) -> list[tuple[Hashable, Verdict]]:
        """Deliveries whose answer has not come, and those too old to keep; each with what becomes of it."""
        found: list[tuple[Hashable, Verdict]] = []
        for key, delivery in list(self._waiting.items()):
            if delivery.in_flight and delivery.due_at <= now:
                found.append((key, self._again(key, delivery, now, 0.0)))
            elif not delivery.in_flight and now - delivery.added_at >= self._rule.validity_s:
                del self._waiting[key]
                found.append((key, Verdict.EXPIRED))
        return found

    def lost(self, keys: Iterable[Hashable], now: float) -> list[tuple[Hashable, Verdict]]:
        """A session ended with `keys` unanswered: they are due at once on the next one."""
        found: list[tuple[Hashable, Verdict]] = []
        for key in keys:
            delivery = self._waiting.get(key)
            if delivery is not None and delivery.in_flight:
                found.append((key, self._again(key, delivery, now, 0.0)))
        return found

    def next_at(self) -> float | None:
        """When a delivery falls due or an answer is late, whichever is first. None: nothing waits."""
        while self._agenda:
            when, _, key = self._agenda[0]
            delivery = self._waiting.get(key)
            if delivery is not None and delivery.due_at == when:
                return when
            heapq.heappop(self._agenda)
        return None

    def attempts(self, key: Hashable) -> int:
        """How often `key` was sent so far; 0 when it is not in the queue."""
        delivery = self._waiting.get(key)
        return delivery.attempts if delivery else 0

    def _again(self, key: Hashable, delivery: _Delivery, now: float, backoff_s: float) -> Verdict:
        if now - delivery.added_at >= self._rule.validity_s:
            del self._waiting[key]
            return Verdict.EXPIRED
        delivery.in_flight = False
        delivery.due_at = now + backoff_s
        self._note(key, delivery.due_at)
        return Verdict.RETRYING

    def _note(self, key: Hashable, when: float) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, key))
