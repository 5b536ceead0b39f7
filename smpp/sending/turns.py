"""A shopper's texts leave one after the other: the next waits for the end of the one before. Pure."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from gateway.domain.sms.priority import IN_ORDER, Priority


class Ranked(Protocol):
    """Something that may have to wait."""

    @property
    def priority(self) -> Priority:
        """What leaves first among those that wait."""


T = TypeVar("T", bound=Ranked)


class Order(Generic[T]):
    """Who is on the way to whom, and who waits behind."""

    __slots__ = ("_behind",)

    def __init__(self) -> None:
        self._behind: dict[str, list[T] | None] = {}  # number -> those that wait; None: nobody does

    def __len__(self) -> int:
        """How many wait behind another."""
        return sum(len(behind) for behind in self._behind.values() if behind)

    def enter(self, number: str, text: T) -> bool:
        """Whether `text` may leave now; otherwise it comes out of `leave` when it may."""
        if number not in self._behind:
            self._behind[number] = None
            return True
        behind = self._behind[number]
        if behind is None:
            self._behind[number] = [text]
        else:
            behind.append(text)
        return False

    def leave(self, number: str) -> T | None:
        """The text on its way to `number` has ended; the one that may leave now, replies first."""
        behind = self._behind.get(number)
        if not behind:
            self._behind.pop(number, None)
            return None
        first = min(range(len(behind)), key=lambda i: IN_ORDER.index(behind[i].priority))
        text = behind.pop(first)
        if not behind:
            self._behind[number] = None
        return text

    def clear(self) -> list[T]:
        """All that wait, in no order; nobody is on the way any more."""
        waiting = [text for behind in self._behind.values() for text in behind or ()]
        self._behind.clear()
        return waiting
