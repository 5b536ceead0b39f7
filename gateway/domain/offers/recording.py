"""What firms let be said in their calls: bounds, and whether words tell who calls. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

MOST_WORDS: Final = 1_000  # characters
LEAST_MS: Final = 500
MOST_MS: Final = 60_000
_WORD = re.compile(r"[^\W_]+")


class Source(StrEnum):
    """Where a recording comes from."""

    UPLOADED = "uploaded"
    SPOKEN = "spoken"  # by espeak-ng, from words


def names_firm(words: str, firm: str) -> bool:
    """Whether words say the firm's name, as whole words in its order: whoever is called is told by whom.

    >>> names_firm("Привіт! Вам телефонує «Coca-Cola».", "Coca Cola")
    True
    >>> names_firm("Look at this", "Ok")
    False
    """
    said, name = _words(words), _words(firm)
    return bool(name) and any(said[at : at + len(name)] == name for at in range(len(said)))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
