"""Counts of people are told from ten on: fewer would tell of somebody. None is told as none.

>>> told(0), told(9), told(10)
(0, 'fewer than 10', 10)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

LEAST: Final = 10
FEWER: Final = f"fewer than {LEAST}"
K = TypeVar("K")


def told(count: int) -> int | str:
    """A count of people as a firm may see it."""
    return FEWER if is_hidden(count) else count


def is_hidden(count: int) -> bool:
    """Whether it may not be told."""
    return 0 < count < LEAST


def tens(count: float) -> int:
    """Rounded up to tens: what stands on so many people does not tell how many they are.

    >>> tens(41), tens(40), tens(0)
    (50, 40, 0)
    """
    return -(-round(count) // LEAST) * LEAST


def parts(counts: Mapping[K, int]) -> dict[K, int | str]:
    """Parts of a sum that may be told beside them: no difference leads to one that is not told.

    Where those that are hidden are too few together as well, the smallest that is told is told in tens.

    >>> parts({"now": 30, "denied": 11, "later": 3})
    {'now': 30, 'denied': 'about 10', 'later': 'fewer than 10'}
    >>> parts({"now": 30, "denied": 11})
    {'now': 30, 'denied': 11}
    """
    shown = {which: told(count) for which, count in counts.items()}
    hidden = sum(count for count in counts.values() if is_hidden(count))
    if is_hidden(hidden):
        smallest = min((c for c in counts.values() if c >= LEAST), default=0)
        for which, count in counts.items():
            if smallest and count == smallest:
                shown[which] = f"about {round(count / LEAST) * LEAST}"
                break
    return shown
