"""When a blast would be done: its texts at the links' speed, through the hours that the law leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HOUR_MS: Final = 3_600_000
ASSUMED_PER_S: Final = 100.0  # segments of an account whose contract knows no limit


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


def forecast(load: Load, open_share: Callable[[int], float]) -> Forecast:
    """Hour by hour. `open_share`: of the recipients, those who may be written to at a moment (ms)."""
    texts_per_s = load.per_s / max(1.0, load.segments)
    if load.spread_s:
        texts_per_s = min(texts_per_s, max(load.texts, 1) / load.spread_s)
    left, at = float(load.texts), load.starts_at
    while left >= 1 and at < load.expires_at:
        hour_s = min(HOUR_MS - at % HOUR_MS, load.expires_at - at) / 1000
        share = open_share(at)
        # Once fewer are left than live where it is open, all of those who are left may wait elsewhere.
        leaves = texts_per_s * hour_s if share else 0.0
        open_now = left if share == 1 else min(left, share * load.texts)
        if leaves >= open_now >= left:
            return Forecast(finishes_at=at + int(left / texts_per_s * 1000), unreached=0)
        left -= min(leaves, open_now)
        at += int(hour_s * 1000)
    return Forecast(finishes_at=at if left < 1 else None, unreached=0 if left < 1 else int(left))


def total_rate(rates: dict[str, float]) -> float:
    """Segments a second of all accounts together."""
    return sum(rate or ASSUMED_PER_S for rate in rates.values()) or ASSUMED_PER_S
