"""Whose turn it is on something that firms share: whoever has had the least of late is next. Pure.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): each firm has a clock that its use moves on; the
clock that is least behind goes first. Who has asked for nothing for a while starts where the others stand,
and saves nothing up.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Final

_MOST_REMEMBERED: Final = 10_000


class Turns:
    """Turns at one thing. A unit is whatever is shared: a segment, a batch."""

    __slots__ = ("_now", "_used")

    def __init__(self) -> None:
        self._used: dict[int, int] = {}  # firm -> its clock
        self._now = 0  # the clock of whoever was served last

    def share(self, firms: Sequence[int], units: int) -> dict[int, int]:
        """How many of `units` each of `firms` may have now, in the order of their turns; none is left out
        of it.

        They count as used; what comes of it otherwise is told by `correct`.
        """
        if len(firms) == 1 and units > 0:
            return {firms[0]: self._spend(firms[0], units)}
        waiting = [(max(self._used.get(firm, 0), self._now), place, firm) for place, firm in enumerate(firms)]
        heapq.heapify(waiting)
        shares: Counter[int] = Counter()
        for _ in range(units if waiting else 0):
            used, _, firm = waiting[0]
            self._now = used
            shares[firm] += 1
            self._remember(firm, used + 1)
            # Among equals the one who was served goes to the end.
            heapq.heapreplace(waiting, (used + 1, len(firms) + shares.total(), firm))
        return dict(shares)

    def order(self, firms: Sequence[int]) -> list[int]:
        """`firms`, whoever is next first."""
        return sorted(firms, key=lambda firm: max(self._used.get(firm, 0), self._now))

    def correct(self, firm: int, units: int) -> None:
        """A firm used so many more than its share, or fewer (below 0)."""
        if units:
            self._remember(firm, self._used.get(firm, self._now) + units)

    def _spend(self, firm: int, units: int) -> int:
        self._now = max(self._used.get(firm, 0), self._now)
        self._remember(firm, self._now + units)
        return units

    def _remember(self, firm: int, used: int) -> None:
        if len(self._used) >= _MOST_REMEMBERED and firm not in self._used:
            self._used = {known: at for known, at in self._used.items() if at > self._now}
        self._used[firm] = used
