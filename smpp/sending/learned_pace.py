"""The pace of an SMSC that nobody was told: learned from what it refuses as too fast. Pure.

A refusal lowers the pace at once; afterwards it rises towards where it was refused, stays near there for a
while, and then seeks more, ever faster: the curve of CUBIC (RFC 9438, 4.1). So an SMSC that takes one
segment each so many milliseconds is met within a few refusals and knocked at every few seconds; one that
was only tired for a moment has its full speed back after half a minute of traffic. Time is an argument:
seconds of a monotonic clock.
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 100.0  # segments a second, or as many as were tried: where the search begins
LEAST: Final = 0.5
LEAST_TRIED: Final = 2.0  # while nothing is accepted at all: it may be no matter of pace
CALM_DROP: Final = 0.2  # of the pace, by a refusal after others were accepted
SEARCH_DROP: Final = 0.5  # by one that follows another: the right pace is far
CALM: Final = 3  # accepted ones
BACK_S: Final = 4.0  # of traffic, until the pace stands where it was refused
# A timer that was late may be made up for by so much, and only where it is more than the space between two.
_SLACK_S: Final = 0.005


class LastSecond:
    """How often something happened within the last second, nearly."""

    __slots__ = ("_before", "_count", "_second")

    def __init__(self) -> None:
        self._second, self._count, self._before = 0, 0, 0

    def add(self, now: float) -> None:
        """It has happened."""
        self._turn(int(now))
        self._count += 1

    def count(self, now: float) -> float:
        """How often."""
        self._turn(int(now))
        return self._count + self._before * (1 - (now - self._second))

    def _turn(self, second: int) -> None:
        if second != self._second:
            self._before = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0


class LearnedPace:
    """The pace of one link; none before the first refusal."""

    __slots__ = (
        "_accepted",
        "_age",
        "_drop",
        "_lowered_at",
        "_moved_at",
        "_next",
        "_since",
        "_top",
        "_tried",
    )

    def __init__(self) -> None:
        self._top = 0.0  # the pace at which it was refused, segments a second; 0: it never was
        self._drop = SEARCH_DROP
        self._age = 0.0  # seconds of traffic since then
        self._since = 0  # accepted since then
        self._moved_at = self._lowered_at = -float("inf")
        self._next = 0.0  # when the next segment may leave
        self._tried, self._accepted = LastSecond(), LastSecond()

    @property
    def known(self) -> bool:
        """Whether there is one."""
        return self._top > 0

    @property
    def rate(self) -> float:
        """Segments a second; infinite while none is known."""
        if not self._top:
            return float("inf")
        away = (self._age - BACK_S) / BACK_S
        return max(LEAST, self._top * (1 + self._drop * away**3))

    def free(self, now: float) -> int:
        """Segments that may leave at `now`, where a pace is known."""
        if now < self._next:
            return 0
        each = 1 / self.rate
        return int((now - max(self._next, now - _slack(each))) / each) + 1

    def wait_s(self, now: float) -> float:
        """Until the next one may leave."""
        return max(0.0, self._next - now) if self._top else 0.0

    def sent(self, now: float) -> None:
        """A segment has left."""
        self._tried.add(now)
        if self._top:
            each = 1 / self.rate
            self._next = max(self._next, now - _slack(each)) + each

    def on_accepted(self, now: float) -> None:
        """The SMSC has taken one. Only traffic makes the pace rise: a link that rests learns nothing."""
        self._accepted.add(now)
        if self._top:
            self._since += 1
            self._age += min(max(0.0, now - self._moved_at), 2 / self.rate)
            self._moved_at = now

    def on_refused(self, sent_at: float, now: float) -> None:
        """The SMSC has refused, as too fast, a segment that left at `sent_at`.

        Segments that were on their way when the pace was last lowered say nothing of the lower one. It is
        not lowered far below what the SMSC has just taken: some count by whole seconds, and refuse the rest
        of one.
        """
        if sent_at <= self._lowered_at:
            return
        rate = self.rate if self._top else max(FIRST, self._tried.count(now))
        if self._since or not self._top:  # else it is still too fast, or it stands still: then it comes back
            self._top = rate
        drop = CALM_DROP if self._since >= CALM else SEARCH_DROP
        floor = max(LEAST if self._since else LEAST_TRIED, self._accepted.count(now) * (1 - CALM_DROP))
        lowered = min(rate, max(rate * (1 - drop), floor))
        self._top = max(self._top, lowered / (1 - CALM_DROP))
        self._drop = 1 - lowered / self._top
        self._age, self._since, self._moved_at, self._lowered_at = 0.0, 0, now, now
        self._next = now + 1 / self.rate


def _slack(each: float) -> float:
    return _SLACK_S if each < _SLACK_S * 2 else 0.0
