"""Codes that run together without a separator: two and more in one row of characters. Pure, total, bounded.

A row can be cut in several ways, and nothing but a look at the codes tells which is meant. So a reading
offers each way, and whoever can resolve codes takes the one of which every piece is a code; a row without one
says nothing, and what its groups resemble is no wrong code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from gateway.domain.codes.alphabet import ALPHABETS, fold, groups
from gateway.domain.reading.shapes import Form

_ROW: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*+")
_WORD_BEFORE: Final = re.compile(r"[^\W\d_]+")
_WORD_BEHIND: Final = re.compile(r"[^\W\d_]+$")
_MOST_PIECES: Final = 5
MOST_ROWS: Final = 2  # of a text
MOST_WAYS: Final = 16  # of a row
_MOST_LETTERS: Final = 400  # of a row that is looked at


class Piece(NamedTuple):
    """A code of a row: its alphabet and symbols."""

    alphabet: str
    symbols: str


class Row(NamedTuple):
    """Characters `start` to `end` of a cleaned text, and the ways to cut them into codes."""

    start: int
    end: int
    ways: tuple[tuple[Piece, ...], ...]


def rows(text: str, forms: Sequence[Form]) -> list[Row]:
    """The rows of a cleaned text that may be codes run together: at least one seam is without a separator."""
    shortest = min((form.lengths[0] for form in forms), default=0)
    found: list[Row] = []
    if not forms or len(text) < 2 * shortest:
        return found
    for match in _ROW.finditer(text):
        if len(match[0]) < 2 * shortest or len(match[0]) > _MOST_LETTERS:
            continue
        for start, end in _bounds(match):
            ways = tuple(_ways(text[start:end], forms))
            if ways:
                found.append(Row(start, end, ways[:MOST_WAYS]))
                break
        if len(found) == MOST_ROWS:
            break
    return found


def _bounds(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """The row itself, and without the letters of a word that touches it: код48213…"""
    yield match.span()
    before, behind = _WORD_BEFORE.match(match[0]), _WORD_BEHIND.search(match[0])
    start = match.start() + (before.end() if before else 0)
    end = match.start() + behind.start() if behind else match.end()
    if (start, end) != match.span() and start < end:
        yield start, end


def _ways(typed: str, forms: Sequence[Form]) -> Iterator[tuple[Piece, ...]]:
    parts = typed.split("-")
    bare = "".join(parts)
    cuts = set(accumulate(len(part) for part in parts[:-1]))
    for lengths in _tilings(len(bare), forms):
        pieces = list(_pieces(bare, lengths, frozenset(cuts)))
        if len(pieces) == len(lengths) and _glued(lengths, cuts):
            yield tuple(pieces)


def _tilings(size: int, forms: Sequence[Form]) -> Iterator[tuple[tuple[str, int], ...]]:
    """Rows of (alphabet, length) that fill `size`, of two to five codes."""
    sizes = [(form.alphabet, length) for form in forms for length in form.lengths]
    open_: list[tuple[int, tuple[tuple[str, int], ...]]] = [(0, ())]
    while open_:
        filled, row = open_.pop()
        if filled == size and len(row) > 1:
            yield row
        elif len(row) < _MOST_PIECES:
            open_ += [(filled + n, (*row, (name, n))) for name, n in sizes if filled + n <= size]


def _pieces(bare: str, lengths: Sequence[tuple[str, int]], cuts: frozenset[int]) -> Iterator[Piece]:
    """The pieces that may be codes: each is typed plain, or in its printed groups."""
    start = 0
    for alphabet, length in lengths:
        typed = bare[start : start + length]
        symbols = fold(typed, alphabet)
        inside = {cut - start for cut in cuts if start < cut < start + length}
        if inside and inside != set(_printed_cuts(length)):
            return
        digits = sum(c.isdecimal() for c in typed)
        if not all(s in ALPHABETS[alphabet].symbols for s in symbols) or 3 * digits < _least(
            alphabet, length
        ):
            return
        yield Piece(alphabet, symbols)
        start += length


def _least(alphabet: str, length: int) -> int:
    """Three times the digits that must be typed as such: a code of letters has one."""
    return length if alphabet == "digits" else 1


def _printed_cuts(length: int) -> Iterator[int]:
    yield from accumulate(groups(length)[:-1])


def _glued(lengths: Sequence[tuple[str, int]], cuts: set[int]) -> bool:
    return not cuts.issuperset(accumulate(length for _, length in lengths[:-1]))
