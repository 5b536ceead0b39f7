"""How long to wait before the next attempt to connect; pure."""

from __future__ import annotations

from typing import Final

_FIRST_S: Final = 0.5


class Backoff:
    """Doubles from half a second to the cap, each time shortened at random by up to a half.

    The jitter keeps many gateways from knocking at a restarted peer in the same moment.
    """

    def __init__(self, cap_s: float) -> None:
        """`cap_s`: the longest wait."""
        self._cap_s = cap_s
        self._failures = 0

    def next_s(self, jitter: float) -> float:
        """Seconds to wait after one more failure; `jitter` is a random number from 0 to 1."""
        longest = min(self._cap_s, _FIRST_S * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return longest * (1.0 - jitter / 2.0)

    def reset(self) -> None:
        """The connection has proved stable."""
        self._failures = 0
