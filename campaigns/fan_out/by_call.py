"""A blast that calls: each of its recipients waits in SQL for the dialer, which takes whoever is due.

The rows stand in the transaction of their batch: nothing is handed over, and nothing is lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from campaigns.context import Desk
from campaigns.eligibility import Reached
from gateway.domain.offers.blast import Fate
from gateway.domain.offers.offer_call import Outcome
from gateway.store.offers import call_list
from gateway.store.offers.audiences import Member
from gateway.store.offers.blasts import Blast
from gateway.store.offers.recipients import Drawn

# People of a blast who are due and wait: ten seconds' worth of the fastest blast, and few of whom the evening
# makes people who wait for the morning.
AHEAD: Final = 1_000
BAD_NUMBER: Final = Outcome.BAD_NUMBER.value


class Calling:
    """What fan-out needs of a blast by call."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def room(self, blast: Blast, now: int) -> int | None:
        """How many more people may wait. Those who are called again later do not count before their time."""
        return AHEAD - call_list.due(self._desk.engine, blast.id, now, most=AHEAD)

    def drawn(self, blast: Blast, allowed: Sequence[Reached], now: int) -> list[Drawn]:
        """All of them are called, but for those whose number an earlier call has found bad."""
        del blast
        bad = call_list.bad_numbers(self._desk.engine, [member.shopper_id for member, _ in allowed], now)
        return [
            Drawn(member.shopper_id, Fate.DENIED, BAD_NUMBER)
            if member.shopper_id in bad
            else Drawn(member.shopper_id, Fate.CALLED)
            for member, _ in allowed
        ]

    def held(self, blast: Blast, most: int) -> list[Member]:
        """Nobody: there is one way out."""
        del blast, most
        return []

    def hand_over(self, blast: Blast, drawn: Sequence[Drawn]) -> None:
        """The dialer finds them in SQL."""

    def waiting(self, blast_id: int) -> bool:
        """Whether anybody is called, or is to be."""
        return call_list.unended(self._desk.engine, blast_id)
