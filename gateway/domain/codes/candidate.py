"""What may be a code in a text, and the form that codes have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeForm:
    """A form of code that a short number takes: the alphabet's name and how many symbols."""

    alphabet: str
    length: int


class Candidate(NamedTuple):
    """Something that was meant as a code: normalised symbols, not always of a length that exists."""

    alphabet: str
    symbols: str
