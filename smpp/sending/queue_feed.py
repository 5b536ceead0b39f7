"""Texts out of the queues of all firms: what leaves first over all of them, and in turn between firms.

Whether something waits that may be taken is watched all the time: what is urgent also while bulk has no room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.domain.sharing.turns import Turns
from gateway.domain.sms.priority import IN_ORDER, Priority
from gateway.store.texts.sendqueue import Waiting

WATCH_MS = 1000
MOST_HELD = 4_000  # texts of one firm and priority that were taken and have not ended; then its others wait
CLOSED_S = 0.5  # a firm that is closed is tried again
Room = Callable[[Priority], int]
Queue = tuple[int, Priority]


class Queues(Protocol):
    """gateway.store.texts.sendqueue. All raise RedisError."""

    async def look(self, queues: Sequence[Queue]) -> list[Queue]:
        """Those in which something waits behind what was taken."""

    async def take_each(
        self, shares: Mapping[int, int], of: Mapping[int, Sequence[Priority]]
    ) -> Mapping[int, Sequence[Waiting] | None]:
        """At most so many of each firm, of its priorities `of`; None where a firm is closed."""

    async def wait(self, queues: Sequence[Queue], timeout_ms: int) -> None:
        """Until something waits there, or the time is over."""


class Taking:
    """`firms`: whose queues are read. `held`: how many of a queue were taken and have not ended.

    `may`: whether more of a firm's bulk is wanted. `wake`: called when something may be there to take.
    `clock`: monotonic seconds.
    """

    def __init__(
        self,
        queues: Queues,
        firms: Callable[[], Sequence[int]],
        *,
        held: Callable[[Queue], int],
        may: Callable[[int], bool],
        wake: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._queues = queues
        self._firms = firms
        self._held = held
        self._may = may
        self._wake = wake
        self._clock = clock
        self._turns = {priority: Turns() for priority in IN_ORDER}
        self._closed: dict[int, float] = {}  # firm -> until when it is left alone
        self._watches: dict[Priority, asyncio.Task[None]] = {}

    async def take(self, room: Room) -> list[Waiting]:
        """The next texts, their intents on disk. `room`: how many of a priority may be taken now.

        Raises RedisError.
        """
        queues = self._open(room)
        if not queues or self._is_watched(room):
            return []
        priority, asked = await self._next(queues)
        shares = self._turns[priority].share(asked, room(priority))
        if not shares:
            return []
        of = {firm: [p for owner, p in queues if owner == firm and p in priority.before] for firm in shares}
        found = await self._queues.take_each(shares, of)
        return [
            one for firm, share in shares.items() for one in self._taken(firm, share, found[firm], priority)
        ]

    def _is_watched(self, room: Room) -> bool:
        """Whether it would be known by now if anything waited."""
        watch = self._watches.get(_least(room))
        return watch is not None and not watch.done()

    async def _next(self, queues: Sequence[Queue]) -> tuple[Priority, list[int]]:
        """The most urgent priority of which something waits, and whose.

        One firm's queues are read in order by the function that takes; several firms' are looked at first.
        """
        if len({firm for firm, _ in queues}) == 1:
            return queues[-1][1], [queues[-1][0]]
        waiting = await self._queues.look(queues)
        priority = next((p for p in IN_ORDER if any(p is of for _, of in waiting)), Priority.BULK)
        return priority, [firm for firm, of in waiting if of is priority]

    def _taken(
        self, firm: int, share: int, found: Sequence[Waiting] | None, priority: Priority
    ) -> Sequence[Waiting]:
        if found is None:
            self._closed[firm] = self._clock() + CLOSED_S
        self._turns[priority].correct(firm, len(found or ()) - share)
        return found or ()

    def used(self, firm: int, priority: Priority, segments: int) -> None:
        """A text that was taken has so many segments: the link is shared by these."""
        self._turns[priority].correct(firm, segments - 1)

    def watch(self, room: Room) -> None:
        """See to it that `wake` is called once something waits that there is room for.

        Raises what a watch ended with, RedisError.
        """
        least = _least(room)
        if room(least) <= 0 or self._is_watched(room):
            return
        if (ended := self._watches.pop(least, None)) is not None:
            ended.result()
        queues = self._open(room)
        watch = self._watches[least] = asyncio.create_task(self._queues.wait(queues, WATCH_MS))
        watch.add_done_callback(lambda _: self._wake())

    async def stop(self) -> None:
        """Watch no longer."""
        watches, self._watches = list(self._watches.values()), {}
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    def _open(self, room: Room) -> list[Queue]:
        """The queues of which something may be taken now."""
        now = self._clock()
        priorities = [p for p in IN_ORDER if room(p) > 0]
        return [
            (firm, priority)
            for firm in self._firms()
            if self._closed.get(firm, 0.0) <= now
            for priority in priorities
            if self._held((firm, priority)) < MOST_HELD and (priority is not Priority.BULK or self._may(firm))
        ]


def _least(room: Room) -> Priority:
    """The least urgent priority that there is room for."""
    return next((p for p in reversed(IN_ORDER) if room(p) > 0), Priority.REPLY)
