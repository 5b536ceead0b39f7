"""Which share of its rates a dialer takes while the operator has no room for its calls. Pure.

Halved by congestion, raised a little with each second without: the way TCP finds its pace (RFC 5681, 3.1).
"""

from __future__ import annotations

from typing import Final

ROUND_S: Final = 1.0  # congestion within it counts as one
LEAST: Final = 1 / 64
RAISED_A_S: Final = 0.02  # of the whole


class Slowing:
    """Time is an argument: seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._share = 1.0
        self._since = 0.0

    def share(self, now: float) -> float:
        """From LEAST to 1."""
        return min(1.0, self._share + RAISED_A_S * max(0.0, now - self._since))

    def on_congestion(self, now: float) -> None:
        """A call found no room."""
        if now - self._since >= ROUND_S or self._share == 1.0:
            self._share = max(LEAST, self.share(now) / 2)
            self._since = now
