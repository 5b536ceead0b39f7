"""When a blast would be done: its texts at the links' speed, through the hours that the law leaves open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

HOUR_MS: Final = 3_600_000
_DONE: Final = 0.01  # texts: rounding leaves less
ASSUMED_PER_S: Final = 100.0  # segments of an account whose contract knows no limit


Openings = Callable[[int], Sequence[bool]]  # of each of some recipients: whether reached at a moment, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to leave. `texts`: those that may leave now or later; `segments`: of a text, on average.

    `spread_s`: over which they are spread, 0 for as fast as it goes. Times in ms since 1970.
    """

    texts: int
    segments: float
    per_s: float
    spread_s: int
    starts_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`finishes_at`: when the last would leave, ms; None where it does not before the blast expires.

    `unreached`: how many would still wait then.
    """

    finishes_at: int | None
    unreached: int


def forecast(load: Load, openings: Openings) -> Forecast:
    """Hour by hour, as if all were like some of them: who is reached is done with, the others wait on."""
    texts_per_s = load.per_s / max(1.0, load.segments)
    if load.spread_s:
        texts_per_s = min(texts_per_s, max(load.texts, 1) / load.spread_s)
    at = load.starts_at
    count = len(openings(at))
    waits = [load.texts / count] * count  # so many stand behind each of them
    while (left := sum(waits)) >= _DONE and at < load.expires_at:
        hour_s = min(HOUR_MS - at % HOUR_MS, load.expires_at - at) / 1000
        now = openings(at)
        open_now = sum(n for n, is_open in zip(waits, now, strict=True) if is_open)
        leaves = min(texts_per_s * hour_s, open_now)
        if open_now >= left - _DONE and leaves >= open_now:
            return Forecast(finishes_at=at + int(left / texts_per_s * 1000), unreached=0)
        if leaves:
            stay = 1 - leaves / open_now
            waits = [n * stay if is_open else n for n, is_open in zip(waits, now, strict=True)]
        at += int(hour_s * 1000)
    return Forecast(
        finishes_at=at if left < _DONE else None, unreached=0 if left < _DONE else max(1, round(left))
    )


def total_rate(rates: dict[str, float]) -> float:
    """Segments a second of all accounts together."""
    return sum(rate or ASSUMED_PER_S for rate in rates.values()) or ASSUMED_PER_S
