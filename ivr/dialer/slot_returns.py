"""Slots that come back whatever happens to Redis' answers: what could not be given back is owed.

Else an outage of seconds would keep its channels and people for the longest time that a call may take.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.store.calls.slots import Grant, Wanted
from ivr.dialer.attempt import Slots


class OwedSlots:
    """As `slots`, of one dialer. What is owed is bounded by the calls that it has at once."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._owed: dict[str, Wanted] = {}  # by the call's id; given back twice it changes nothing

    async def take(self, wanted: Sequence[Wanted], slowed: float) -> list[Grant]:
        """A slot for each, or none. Raises RedisError; then whatever was given unheard is owed."""
        await self._pay()
        try:
            return await self._slots.take(wanted, slowed)
        except BaseException:
            self._owed |= {one.id: one for one in wanted}
            raise

    async def give_back(self, held: Sequence[Wanted]) -> None:
        """End slots. Raises RedisError; then they are owed."""
        self._owed |= {one.id: one for one in held}
        await self._pay()

    async def _pay(self) -> None:
        owed = dict(self._owed)
        if owed:
            await self._slots.give_back(list(owed.values()))
            for id_ in owed:
                self._owed.pop(id_, None)
