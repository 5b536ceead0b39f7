"""Counts of people are told from ten on: fewer would tell of somebody.

>>> told(9), told(10)
('fewer than 10', 10)
"""

from __future__ import annotations

from typing import Final

LEAST: Final = 10
FEWER: Final = f"fewer than {LEAST}"


def told(count: int) -> int | str:
    """A count of people as a firm may see it. Zero is below ten, too."""
    return count if count >= LEAST else FEWER
