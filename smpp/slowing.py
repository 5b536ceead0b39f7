"""How many segments may be on their way at once while an SMSC says that we are too fast. Pure.

Halved by a throttling answer, raised by one for each round of accepted ones: the way TCP finds its pace
(RFC 5681, 3.1), so that a link comes back to its window without knocking at the limit all the time.
"""

from __future__ import annotations


class Slowing:
    """The limit of one link. Time is an argument: seconds of a monotonic clock."""

    __slots__ = ("_calm_from", "_limit", "_round_s", "_window")

    def __init__(self, window: int, round_s: float) -> None:
        """`window`: the limit when all is well. `round_s`: throttling answers within it count as one."""
        self._window = float(window)
        self._round_s = round_s
        self._limit = float(window)
        self._calm_from = -float("inf")

    @property
    def limit(self) -> int:
        """Segments on their way, at most."""
        return int(self._limit)

    def on_throttled(self, in_flight: int, now: float) -> None:
        """The SMSC has refused a segment as too fast; `in_flight`: those on their way, this one included."""
        if now >= self._calm_from:
            self._limit = max(1.0, min(self._limit, float(in_flight)) / 2)
        self._calm_from = now + self._round_s

    def on_accepted(self) -> None:
        """The SMSC has taken a segment."""
        if self._limit < self._window:
            self._limit = min(self._window, self._limit + 1.0 / self._limit)
