"""Cutting a text into the pieces that a code could be made of.

A *chunk* is a run of characters that all fold to symbols of one alphabet; what stands between two neighbours
joins them, or not. A *run* is a longest row of joined chunks, a *stretch* one with the same joint throughout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gateway.domain.codes.alphabet import FOLDS, fold

_LONGEST_JOINT: Final = 4  # characters between two groups of one code


class Chunk(NamedTuple):
    """Characters `start` to `end` of a cleaned text."""

    start: int
    end: int
    typed: str
    symbols: str
    digits: int  # how many characters were typed as digits
    plus: bool  # a + stands right before it
    joint: (
        str  # what joins it to the next chunk: ' ', a line feed, or the separators without spaces; or nothing
    )


def _class(alphabet: str) -> str:
    return "[" + re.escape("".join(FOLDS[alphabet])) + "]"


_CHUNK: Final = {
    # A run of digits may touch letters ("код4821"); a letter code is a whole word.
    "digits": re.compile(_class("digits") + "++"),
    "letters": re.compile(rf"(?<![^\W_]){_class('letters')}++(?![^\W_])"),
}
_DIGIT: Final = re.compile(r"[0-9]")


def chunks(text: str, alphabet: str) -> list[Chunk]:
    """All chunks of a cleaned text, in order."""
    bounds = [match.span() for match in _CHUNK[alphabet].finditer(text)]
    if alphabet == "digits":
        bounds = [(start, end) for start, end in (_unglued(text, *b) for b in bounds) if start < end]
    found = []
    for i, (start, end) in enumerate(bounds):
        joint = _joint(text[end : bounds[i + 1][0]]) if i + 1 < len(bounds) else ""
        typed = text[start:end]
        plain = typed.isdecimal()
        digits = len(typed) if plain else len(_DIGIT.findall(typed))
        symbols = typed if plain and alphabet == "digits" else fold(typed, alphabet)
        plus = start > 0 and text[start - 1] == "+"
        found.append(Chunk(start, end, typed, symbols, digits, plus, joint))
    return found


def _unglued(text: str, start: int, end: int) -> tuple[int, int]:
    """A run of digits without look-alike letters that belong to a word it touches ("No4821" is not 04821)."""
    if start and text[start - 1].isalpha():
        while start < end and not text[start].isdecimal():
            start += 1
    if end < len(text) and text[end].isalpha():
        while start < end and not text[end - 1].isdecimal():
            end -= 1
    return start, end


def _joint(between: str) -> str:
    if between in {"-", " "}:
        return between
    if len(between) > _LONGEST_JOINT or any(c.isalnum() for c in between):
        return ""
    return between.strip() or ("\n" if "\n" in between else " ")


def runs(row: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    """The runs of a row of chunks; one that touches nothing is a run as well."""
    first = 0
    for i, chunk in enumerate(row):
        if not chunk.joint:
            yield row[first : i + 1]
            first = i + 1


def stretches(run: Sequence[Chunk]) -> Iterator[tuple[int, int]]:
    """The stretches of two chunks and more in a run, as first and last index. Neighbours share a chunk.

    Characters one by one count as joined by spaces where a printed hyphen stands between them, too.
    """
    first = 0
    for i in range(1, len(run)):
        joint = run[i].joint
        same = joint == run[first].joint or (
            len(run[i].symbols) == len(run[i - 1].symbols) == 1
            and joint in {" ", "-"}
            and run[first].joint in {" ", "-"}
        )
        if i == len(run) - 1 or not same:
            yield first, i
            first = i
