"""Segments a second, as the operator's contract says; pure, the time is an argument."""

from __future__ import annotations

from typing import Final

# Some SMSCs count in windows shorter than a second, so a rest must not be made up for by a long burst.
_BURST_S: Final = 0.1


class TokenBucket:
    """Lets `rate` tokens a second pass, a tenth of a second's worth at once; rate 0 is no limit."""

    __slots__ = ("_burst", "_filled_at", "_level", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        """`rate`: tokens a second. `now`: of the monotonic clock that all calls use, seconds."""
        self._rate = rate
        self._burst = max(1.0, rate * _BURST_S)
        self._level = self._burst
        self._filled_at = now

    @property
    def limited(self) -> bool:
        """There is a limit at all."""
        return self._rate > 0

    def available(self, now: float) -> int:
        """Tokens that may be taken at `now`."""
        self._fill(now)
        return int(self._level + 1e-9)

    def take(self, now: float) -> bool:
        """Take one token; False if there is none."""
        if self._rate <= 0:
            return True
        self._fill(now)
        if self._level < 1.0 - 1e-9:
            return False
        self._level -= 1.0
        return True

    def wait_s(self, now: float) -> float:
        """Seconds until there is a token; 0 if there is one."""
        if self._rate <= 0:
            return 0.0
        self._fill(now)
        return max(0.0, (1.0 - self._level) / self._rate)

    def _fill(self, now: float) -> None:
        self._level = min(self._burst, self._level + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = max(now, self._filled_at)
