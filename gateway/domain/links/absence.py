"""How long a link is gone: a bind that stands for a moment only, again and again, does not end that."""

from __future__ import annotations

from typing import Final

STEADY_S: Final = 5.0  # a link that has stood so long is back


class Absence:
    """Of one link. `most_s`: the absence that has consequences. Times are seconds of one monotonic clock."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._steady_s = min(STEADY_S, most_s / 2)
        self._since: float | None = None
        self._trouble_at = 0.0
        self._outages = 0

    def look(self, now: float, *, bound: bool, outages: int) -> None:
        """How it stands now. `outages`: how often it was ever gone, also between two looks."""
        if not bound or outages != self._outages:
            self._trouble_at = now
            if self._since is None:
                self._since = now
        elif now - self._trouble_at >= self._steady_s:
            self._since = None
        self._outages = outages

    @property
    def over(self) -> bool:
        """It is here, and stays."""
        return self._since is None

    def too_long(self, now: float) -> bool:
        """Whether it is gone for as long as has consequences."""
        return self._since is not None and now - self._since >= self._most_s
