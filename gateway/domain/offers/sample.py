"""Who is drawn: a keyed place for every shopper id, the same in Python and in SQL.

A place is (id x times + plus) mod a prime, with times and plus from a key: over the keys any two ids fall
independently (Carter and Wegman, 1979), so a share of the places is an unbiased sample, and it stays the
same sample however often it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRIME: Final = 2**31 - 1
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One draw. `times`: 1 to PRIME - 1; `plus`: 0 to PRIME - 1."""

    times: int
    plus: int

    def place(self, id_: int) -> int:
        """Where an id below 2**32 stands, 0 to PRIME - 1."""
        return (id_ * self.times + self.plus) % PRIME


def draw_of(key: bytes) -> Draw:
    """The draw of a key of 16 bytes or more."""
    return Draw(
        times=1 + int.from_bytes(key[:8], "big") % (PRIME - 1), plus=int.from_bytes(key[8:16], "big") % PRIME
    )


def below(parts: int) -> int:
    """The place below which `parts` in a million stand.

    >>> below(500_000) == PRIME // 2
    True
    """
    return PRIME * parts // MILLION
