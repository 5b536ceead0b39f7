"""Who is to be called next: read from SQL ahead, taken from each blast in turn."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.store.calls.offer_queue import Due
from ivr.dialer.blasts import Audible

AT_ONCE: Final = 64  # of a blast
LOOK_AGAIN_S: Final = 0.5  # for a blast of which nobody is due
BUSY_FOR_S: Final = 10.0  # a person who has another call is passed over

Place = tuple[int, int]  # blast and shopper


@dataclass(slots=True)
class _Read:
    waiting: deque[Due] = field(default_factory=deque)
    again_at: float = 0.0  # by time.monotonic()


class Candidates:
    """`due`: asks SQL for whom a blast may call, at most so many. Blocks: to be used beside an event loop."""

    def __init__(self, due: Callable[[int, int], list[Due]]) -> None:
        self._due = due
        self._read: dict[int, _Read] = {}
        self._resting: dict[Place, float] = {}
        self._turn = 0

    def next(
        self, blasts: Sequence[Audible], room: Callable[[Audible], int], most: int
    ) -> list[tuple[Audible, Due]]:
        """At most `most`, of each blast as many as there is `room` for. Raises SQLAlchemyError."""
        now = time.monotonic()
        self._resting = {place: until for place, until in self._resting.items() if until > now}
        self._read = {one.blast.id: self._read.get(one.blast.id, _Read()) for one in blasts}
        self._turn += 1
        start = self._turn % len(blasts) if blasts else 0
        taken: list[tuple[Audible, Due]] = []
        rooms = {one.blast.id: room(one) for one in blasts}
        while len(taken) < most:
            before = len(taken)
            for one in (*blasts[start:], *blasts[:start]):
                if len(taken) < most and rooms[one.blast.id] > 0 and (due := self._one(one.blast.id, now)):
                    rooms[one.blast.id] -= 1
                    taken.append((one, due))
            if len(taken) == before:
                break
        return taken

    def put_back(self, due: Sequence[Due]) -> None:
        """They could not be called yet, and are the next ones."""
        for one in reversed(due):
            if one.blast_id in self._read:
                self._read[one.blast_id].waiting.appendleft(one)

    def rest(self, due: Due) -> None:
        """This person has another call."""
        self._resting[due.blast_id, due.shopper_id] = time.monotonic() + BUSY_FOR_S

    def leave(self, blast_id: int) -> None:
        """The blast does not run, as far as the gate knows; it is looked at again later."""
        read = self._read.get(blast_id)
        if read is not None:
            read.waiting.clear()
            read.again_at = time.monotonic() + LOOK_AGAIN_S

    def _one(self, blast_id: int, now: float) -> Due | None:
        read = self._read[blast_id]
        if not read.waiting and now >= read.again_at:
            found = self._due(blast_id, AT_ONCE + len(self._resting))
            read.waiting.extend(one for one in found if (blast_id, one.shopper_id) not in self._resting)
            read.again_at = now if len(found) >= AT_ONCE else now + LOOK_AGAIN_S
        return read.waiting.popleft() if read.waiting else None
