"""How much a row of chunks looks like a code. Shape alone: nothing here knows whether a code is live.

Each proposal is a span with a weight. Weights are so far apart that one code as printed beats any two
doubtful readings of the same characters; `spotting` adds phone numbers and dates and takes the best set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from gateway.domain.codes.alphabet import groups
from gateway.domain.reading.chunks import Chunk, stretches


class Weight(IntEnum):
    """What speaks for a proposal, strongest first."""

    EXACT = 1000  # the printed groups with one separator throughout, or no separator
    SPELT = 900  # a space between every two characters
    PLUS_PHONE = 500  # a number that is known by its form, with its +
    NEAR_PRINTED = 400  # the printed groups, a symbol or two missing or too many at the end
    KNOWN_PHONE = 300
    NEAR_SPACED = 250
    REGROUPED = 200  # the right length in other groups
    PLUS_NUMBER = 160  # + and 8 to 15 digits
    DATE = 150
    MIXED = 100  # the right length, separators of several kinds
    NEAR_PLAIN = 50  # one symbol missing or too many, no separator


# Between two readings of one row of groups: hyphens, then standing apart, then more groups with digits.
_HYPHENS: Final = 40
_APART: Final = 20
_GROUP_WITH_DIGIT: Final = 3

_MIXING: Final = frozenset(" \n-.")  # separators that people mix in one code


class Span(NamedTuple):
    """Characters `start` to `end` of a cleaned text, taken for something; `alphabet` is empty for no code."""

    start: int
    end: int
    weight: int
    alphabet: str = ""
    symbols: str = ""


class Form(NamedTuple):
    """An alphabet with the lengths of its codes, ascending."""

    alphabet: str
    lengths: tuple[int, ...]


def codes(run: Sequence[Chunk], form: Form) -> Iterator[Span]:
    """Everything in a run that looks like a code of this form, or almost; proposals overlap."""
    longest = form.lengths[-1]
    for first in range(len(run)):
        size = 0
        for last in range(first, len(run)):
            size += len(run[last].symbols)
            if size > longest:
                break
            weight = _exact(run, first, last, form) if size in form.lengths else 0
            if weight:
                yield _span(run[first : last + 1], weight, form)
        if _near_plain(run[first], form):
            yield _span(run[first : first + 1], Weight.NEAR_PLAIN, form)
    for first, last in stretches(run):
        yield from _spelt(run[first : last + 1], form)
        weight = _near(run, first, last, form)
        if weight:
            yield _span(run[first : last + 1], weight, form)


def _span(part: Sequence[Chunk], weight: int, form: Form) -> Span:
    symbols = "".join(chunk.symbols for chunk in part)
    return Span(part[0].start, part[-1].end, weight, form.alphabet, symbols)


def _exact(run: Sequence[Chunk], first: int, last: int, form: Form) -> int:
    """The weight of chunks that together have the right length; 0 when they are no code all the same."""
    part = run[first : last + 1]
    joints = {chunk.joint for chunk in part[:-1]}
    sizes = tuple(len(chunk.symbols) for chunk in part)
    as_printed = first == last or (len(joints) == 1 and sizes == groups(sum(sizes)))
    if not _could_be(part, form, printed=as_printed and "-" in joints):
        return 0
    if as_printed:
        bonus = _HYPHENS * ("-" in joints) + _APART * _stands_apart(run, first, last)
        return Weight.EXACT + bonus + _GROUP_WITH_DIGIT * sum(chunk.digits > 0 for chunk in part)
    if form.alphabet == "letters":
        # Words fold to symbols too ("там мне 3 как"), so this must stand alone and be mostly with digits.
        mostly_digits = 2 * sum(chunk.digits > 0 for chunk in part) >= len(part)
        return Weight.REGROUPED if mostly_digits and len(part) == len(run) else 0
    if len(joints) == 1:
        return Weight.REGROUPED
    return Weight.MIXED if joints <= _MIXING else 0


def _could_be(part: Sequence[Chunk], form: Form, *, printed: bool) -> bool:
    """Whether the characters as typed may be a code at all, so that no plain word is one.

    A code of letters has a digit, and something else. As printed, with hyphens and in capitals, what has not
    is taken for a code that was mistyped.
    """
    size = sum(len(chunk.symbols) for chunk in part)
    digits = sum(chunk.digits for chunk in part)
    if form.alphabet == "digits":
        return 3 * digits >= size
    if digits > 0 and (digits < size or len(part) == 1):
        return True
    return printed and all(chunk.typed == chunk.typed.upper() for chunk in part)


def _stands_apart(run: Sequence[Chunk], first: int, last: int) -> bool:
    joint = run[first].joint
    before = first == 0 or run[first - 1].joint != joint
    return before and (last == len(run) - 1 or run[last].joint != joint)


def _spelt(part: Sequence[Chunk], form: Form) -> Iterator[Span]:
    """Codes typed character by character: some without a remainder, or one that is one too short or long."""
    singles = [i for i, chunk in enumerate(part) if len(chunk.symbols) == 1]
    row = part[singles[0] : singles[-1] + 1] if singles else []
    if len(row) != len(singles) or not any(chunk.digits for chunk in row):
        return
    for length in form.lengths:
        if row and len(row) % length == 0:
            yield from (_span(row[at : at + length], Weight.SPELT, form) for at in range(0, len(row), length))
            return
    if any(abs(len(row) - length) == 1 for length in form.lengths):
        yield _span(row, Weight.NEAR_SPACED, form)


def _near(run: Sequence[Chunk], first: int, last: int, form: Form) -> int:
    """The weight of a whole stretch as a code with a symbol or two missing or too many; 0 when it is not."""
    part = run[first : last + 1]
    sizes = tuple(len(chunk.symbols) for chunk in part)
    joint = part[0].joint
    # A code of another length may be meant even where the length is one that exists.
    meant = [g for g in map(groups, form.lengths) if sum(g) != sum(sizes) and _resembles(sizes, g)]
    if not meant or not _could_be(part, form, printed=joint == "-"):
        return 0
    if joint in {" ", "\n"}:
        # Two words side by side have this shape as well, unless nothing else stands there.
        return Weight.NEAR_SPACED if form.alphabet == "digits" or len(part) == len(run) else 0
    # With all groups but the last as printed, it is a code even where it could be a phone number.
    begins_as_printed = any(sizes[:-1] == g[:-1] for g in meant)
    return Weight.NEAR_PRINTED if begins_as_printed else Weight.NEAR_SPACED


def _resembles(sizes: tuple[int, ...], ideal: tuple[int, ...]) -> bool:
    return len(sizes) == len(ideal) and sum(abs(a - b) for a, b in zip(ideal, sizes, strict=True)) <= 2


def _near_plain(chunk: Chunk, form: Form) -> bool:
    size = len(chunk.symbols)
    if size in form.lengths or all(abs(size - length) != 1 for length in form.lengths):
        return False
    return 3 * chunk.digits >= size if form.alphabet == "digits" else 0 < chunk.digits < size
