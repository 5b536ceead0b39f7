"""What leaves first, and what is done where nobody knows whether it has left."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """A reply answers the shopper's own text; a service text was asked for on a page; bulk is marketing."""

    REPLY = "reply"
    SERVICE = "service"
    BULK = "bulk"

    @property
    def most_begun(self) -> int:
        """How often a submit may be begun in all. An outcome that stays unknown leads to one more, but for
        marketing, which is never sent twice.
        """
        return 1 if self is Priority.BULK else 2

    @property
    def before(self) -> tuple[Priority, ...]:
        """Those whose texts leave before a new one of this: its own, and all that are more urgent."""
        return _BEFORE[self]


IN_ORDER = (Priority.REPLY, Priority.SERVICE, Priority.BULK)
_BEFORE = {priority: IN_ORDER[: place + 1] for place, priority in enumerate(IN_ORDER)}
