"""Texts that may leave as soon as there is room, what leaves first first. Pure."""

from __future__ import annotations

from collections import deque
from itertools import chain

from gateway.domain.sms.priority import IN_ORDER, Priority
from smpp.sending.outgoing import Outgoing


class Ready:
    """In each priority they leave in the order in which they came; one that was refused stands first."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[Priority, deque[Outgoing]] = {priority: deque() for priority in IN_ORDER}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, outgoing: Outgoing) -> None:
        """The last of its priority."""
        self._queues[outgoing.priority].append(outgoing)

    def put_back(self, outgoing: Outgoing) -> None:
        """The first of its priority."""
        self._queues[outgoing.priority].appendleft(outgoing)

    @property
    def first(self) -> Outgoing | None:
        """Which leaves next."""
        return next((queue[0] for queue in self._queues.values() if queue), None)

    def remove(self, first: Outgoing) -> None:
        """It has left, or is put elsewhere."""
        self._queues[first.priority].popleft()

    def before(self, priority: Priority) -> int:
        """How many leave before a new one of this priority."""
        return sum(map(len, (self._queues[p] for p in priority.before)))

    def clear(self) -> list[Outgoing]:
        """All."""
        left = list(chain.from_iterable(self._queues.values()))
        for queue in self._queues.values():
            queue.clear()
        return left
