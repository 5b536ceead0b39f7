"""Counts of people as a firm may see them: in tens, so that no count and no difference of two tells of one.

What a count says of one person is hidden by where it is rounded: up or down at a place that the set of people
itself decides, under a secret of the firm. The same people are always told alike, so asking again teaches
nothing; with one person more they are another set, and the place is another one, so the difference of the two
says nothing of that person (cf. cell keys: Thompson, Broadfoot and Elazar, "Methodology for the Automatic
Confidentialisation of Statistical Outputs", 2013). Fewer than ten, and none where that tells of people, are
told alike.

>>> told(0), told(9), told(10), told(19)
(0, 'fewer than 10', 10, 10)
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

LEAST: Final = 10
FEWER: Final = f"fewer than {LEAST}"


def told(count: int) -> int | str:
    """A count that says nothing of what somebody has said or done: whole tens; of a few only that."""
    return FEWER if 0 < count < LEAST else count // LEAST * LEAST


@dataclass(frozen=True, slots=True)
class Veil:
    """A firm's counts. `key`: the firm's secret, 16 bytes or more."""

    key: bytes

    def told(self, count: int, people: str) -> int | str:
        """A count of people, rounded up or down to tens. `people`: names what is counted, and of whom.

        >>> veil = Veil(bytes(16))
        >>> veil.told(30, "a"), veil.told(0, "a"), {veil.told(15, f"{n}") for n in range(99)} == {10, 20}
        (30, 'fewer than 10', True)
        """
        digest = hmac.digest(self.key, people.encode(), "sha256")
        shown = (count + int.from_bytes(digest[:8], "big") % LEAST) // LEAST * LEAST
        return shown or FEWER
