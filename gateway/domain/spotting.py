"""Finding codes in a text. Pure and total; works by shape alone and never knows whether a code is live.

A *chunk* is a run of characters that all fold to symbols of one alphabet. Neighbouring chunks propose spans:
a code, something like a code, a phone number, a date. Proposals overlap, each has a weight by how much it
looks like what it claims to be, and the set of disjoint proposals with the greatest sum wins. So a phone
number or a date takes its digits before a far-fetched code does, and a code as printed takes them first.

A code of up to L symbols has up to L chunks, so the work is linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway.domain.alphabet import FOLDS, fold, groups

# Weights. Each is more than a few of the next: one code as printed beats any two doubtful ones.
EXACT = 1000  # the printed groups with one separator throughout, or no separator
SPELT = 900  # a space between every two characters
PLUS_PHONE = 500  # +380..., known pattern
NEAR_PRINTED = 400  # the printed groups, one or two symbols short or long
KNOWN_PHONE = 300
NEAR_SPACED = 250
REGROUPED = 200  # the right length in other groups
PLUS_NUMBER = 160  # + and 8 to 15 digits
DATE = 150
MIXED = 100  # the right length, separators of several kinds
NEAR_PLAIN = 50  # one symbol short or long, no separator

_PLAIN_JOINTS = frozenset(" \n-.")
_LONGEST_JOINT = 4  # characters between two groups of one code
_LONGEST_NUMBER = 15  # digits, E.164

# Numbers as people write them: Ukraine; Russia and Kazakhstan; neighbours whose numbers have twelve digits.
_PHONE = re.compile(
    r"(?:00)?380[3-9]\d{8}|0[3-9]\d{8}|[78][3-9]\d{9}|7[0-7]\d{8}|9\d{9}|(?:375|99[24568])\d{9}", re.ASCII
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)|\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?::\d\d)?)(?!\d)", re.ASCII
)
_DIGIT = re.compile(r"\d", re.ASCII)


class Span(NamedTuple):
    """Characters `start` to `end` of a cleaned text, taken for something; `alphabet` is empty for no code."""

    start: int
    end: int
    weight: int
    alphabet: str = ""
    symbols: str = ""


class _Chunk(NamedTuple):
    start: int
    end: int
    symbols: str
    digits: int  # characters that were typed as digits
    plus: bool  # a + stands right before it
    joint: str  # what stands between it and the next chunk, see _joint


def _class(alphabet: str) -> str:
    return "[" + re.escape("".join(FOLDS[alphabet])) + "]"


_RUN = {
    # A run of digits may touch letters ("код4821"); a letter code is a whole word.
    "digits": re.compile(_class("digits") + "++"),
    "letters": re.compile(rf"(?<![^\W_]){_class('letters')}++(?![^\W_])"),
}


def spot(text: str, forms: Sequence[tuple[str, tuple[int, ...]]]) -> list[Span]:
    """The spans of a cleaned text that are taken for something, in order, disjoint.

    `forms`: each alphabet that is in use with the lengths of its codes, ascending.
    """
    found: list[Span] = [Span(m.start(), m.end(), DATE) for m in _DATE.finditer(text)]
    for alphabet, lengths in forms:
        chunks = _chunks(text, alphabet)
        if alphabet == "digits":
            found += _phones(chunks)
        for first, last in _runs(chunks):
            found += _codes(text, chunks[first:last], alphabet, lengths)
    if all(alphabet != "digits" for alphabet, _ in forms):
        found += _phones(_chunks(text, "digits"))
    return _best(found)


def _chunks(text: str, alphabet: str) -> list[_Chunk]:
    bounds = []
    for match in _RUN[alphabet].finditer(text):
        start, end = match.span()
        if alphabet == "digits":
            start, end = _unglued(text, start, end)
        if start < end:
            bounds.append((start, end))
    chunks = []
    for i, (start, end) in enumerate(bounds):
        joint = _joint(text[end : bounds[i + 1][0]]) if i + 1 < len(bounds) else ""
        typed = text[start:end]
        digits = len(typed) if typed.isdecimal() else len(_DIGIT.findall(typed))
        plus = start > 0 and text[start - 1] == "+"
        chunks.append(_Chunk(start, end, fold(typed, alphabet), digits, plus, joint))
    return chunks


def _unglued(text: str, start: int, end: int) -> tuple[int, int]:
    """A run of digits without look-alike letters that belong to a word it touches ("code|o|4821")."""
    if start and text[start - 1].isalpha():
        while start < end and not text[start].isdecimal():
            start += 1
    if end < len(text) and text[end].isalpha():
        while start < end and not text[end - 1].isdecimal():
            end -= 1
    return start, end


def _joint(between: str) -> str:
    """What joins two groups: ' ', a line feed, or the separators without spaces; empty if it does not join."""
    if len(between) > _LONGEST_JOINT or any(c.isalnum() for c in between):
        return ""
    return between.strip() or ("\n" if "\n" in between else " ")


def _runs(chunks: Sequence[_Chunk]) -> Iterator[tuple[int, int]]:
    """Longest stretches of chunks that are joined at all, as index ranges."""
    first = 0
    for i, chunk in enumerate(chunks):
        if not chunk.joint:
            yield first, i + 1
            first = i + 1


def _codes(text: str, run: Sequence[_Chunk], alphabet: str, lengths: tuple[int, ...]) -> Iterator[Span]:
    longest = lengths[-1]
    for first in range(len(run)):
        size = 0
        for last in range(first, len(run)):
            size += len(run[last].symbols)
            if size > longest:
                break
            if size in lengths:
                weight = _weight(text, run, first, last, alphabet, size)
                if weight:
                    yield _span(run, first, last, weight, alphabet)
        if _is_near_plain(run, first, alphabet, lengths):
            yield _span(run, first, first, NEAR_PLAIN, alphabet)
    for first, last in _uniform(run):
        yield from _spelt(run, first, last, alphabet, lengths)
        weight = _near(text, run, first, last, alphabet, lengths)
        if weight:
            yield _span(run, first, last, weight, alphabet)


def _span(run: Sequence[_Chunk], first: int, last: int, weight: int, alphabet: str) -> Span:
    symbols = "".join(chunk.symbols for chunk in run[first : last + 1])
    return Span(run[first].start, run[last].end, weight, alphabet, symbols)


def _weight(text: str, run: Sequence[_Chunk], first: int, last: int, alphabet: str, size: int) -> int:
    """How much chunks with the right number of symbols look like a code; 0 for not at all."""
    part = run[first : last + 1]
    joints = {chunk.joint for chunk in part[:-1]}
    sizes = tuple(len(chunk.symbols) for chunk in part)
    as_printed = len(joints) <= 1 and (first == last or sizes == groups(size))
    if not _has_shape(text, part, alphabet, printed="-" in joints and as_printed):
        return 0
    if as_printed:
        # Between two readings of one row of groups: hyphens, then groups of their own, then more digits.
        bonus = 40 * ("-" in joints) + 20 * _stands_apart(run, first, last)
        return EXACT + bonus + 3 * sum(1 for chunk in part if chunk.digits)
    if alphabet == "letters":
        # Words fold to symbols too ("там мне 3 как"), so other groups count only where nothing else stands.
        return REGROUPED if first == 0 and last == len(run) - 1 else 0
    if len(joints) == 1:
        return REGROUPED
    return MIXED if joints <= _PLAIN_JOINTS else 0


def _has_shape(text: str, part: Sequence[_Chunk], alphabet: str, *, printed: bool) -> bool:
    """Whether the typed characters may be a code at all, so that no plain word is one."""
    digits = sum(chunk.digits for chunk in part)
    if alphabet == "digits":
        return 3 * digits >= sum(len(chunk.symbols) for chunk in part)
    # A code in letters has a digit, and not only digits. As printed, with hyphens and in capitals, what breaks
    # this is taken for a code that was mistyped.
    if 0 < digits < sum(len(chunk.symbols) for chunk in part) or (digits and len(part) == 1):
        return True
    return printed and text[part[0].start : part[-1].end].upper() == text[part[0].start : part[-1].end]


def _stands_apart(run: Sequence[_Chunk], first: int, last: int) -> bool:
    joint = run[first].joint
    before = first == 0 or run[first - 1].joint != joint
    return before and (last == len(run) - 1 or run[last].joint != joint)


def _uniform(run: Sequence[_Chunk]) -> Iterator[tuple[int, int]]:
    """Longest stretches of two chunks and more with one joint throughout, as first and last index.

    Characters one by one count as joined by spaces where a printed hyphen stands between them.
    """
    first = 0
    for i in range(1, len(run)):
        last_of_run = i == len(run) - 1
        spelt = len(run[i].symbols) == 1 and len(run[i - 1].symbols) == 1
        same = run[i].joint == run[first].joint or (
            spelt and run[i].joint in " -" and run[first].joint in " -"
        )
        if last_of_run or not same:
            yield first, i
            first = i


def _spelt(
    run: Sequence[_Chunk], first: int, last: int, alphabet: str, lengths: tuple[int, ...]
) -> Iterator[Span]:
    """Codes typed character by character: one or several, without a remainder, or one that is too long or short."""
    while first <= last and len(run[first].symbols) != 1:
        first += 1
    while last >= first and len(run[last].symbols) != 1:
        last -= 1
    count = last - first + 1
    if count < lengths[0] - 1 or any(len(chunk.symbols) != 1 for chunk in run[first : last + 1]):
        return
    if sum(chunk.digits for chunk in run[first : last + 1]) == 0:
        return
    for length in lengths:
        if count % length == 0:
            for at in range(first, last + 1, length):
                yield _span(run, at, at + length - 1, SPELT, alphabet)
            return
    if any(abs(count - length) == 1 for length in lengths):
        yield _span(run, first, last, NEAR_SPACED, alphabet)


def _near(
    text: str, run: Sequence[_Chunk], first: int, last: int, alphabet: str, lengths: tuple[int, ...]
) -> int:
    """The weight of a whole uniform stretch as a code with a symbol or two missing or too many; else 0."""
    part = run[first : last + 1]
    sizes = [len(chunk.symbols) for chunk in part]
    if sum(sizes) in lengths:
        return 0
    joint = part[0].joint
    for length in lengths:
        ideal = groups(length)
        if len(ideal) != len(sizes) or sum(abs(a - b) for a, b in zip(ideal, sizes, strict=True)) > 2:
            continue
        if not _has_shape(text, part, alphabet, printed=joint == "-"):
            continue
        if joint in " \n":
            # Two words side by side have this shape as well, unless nothing else stands there.
            alone = first == 0 and last == len(run) - 1
            return NEAR_SPACED if alphabet == "digits" or alone else 0
        # With all groups but the last as printed, it is a code even where it could be a phone number.
        return NEAR_PRINTED if tuple(sizes[:-1]) == ideal[:-1] else NEAR_SPACED
    return 0


def _is_near_plain(run: Sequence[_Chunk], at: int, alphabet: str, lengths: tuple[int, ...]) -> bool:
    chunk = run[at]
    size = len(chunk.symbols)
    if size in lengths or all(abs(size - length) != 1 for length in lengths):
        return False
    if alphabet == "digits":
        return 3 * chunk.digits >= size
    return 0 < chunk.digits < size


def _phones(chunks: Sequence[_Chunk]) -> Iterator[Span]:
    for first, chunk in enumerate(chunks):
        size, digits = 0, ""
        for last in range(first, len(chunks)):
            group = chunks[last]
            size += len(group.symbols)
            if size > _LONGEST_NUMBER or group.digits != len(group.symbols):
                break
            digits += group.symbols
            weight = _phone_weight(digits, plus=chunk.plus)
            if weight:
                yield Span(chunk.start - chunk.plus, group.end, weight)
            if not group.joint or not set(group.joint) <= set(" -.()/"):
                break


def _phone_weight(digits: str, *, plus: bool) -> int:
    if len(digits) < 8:
        return 0
    if _PHONE.fullmatch(digits):
        return PLUS_PHONE if plus else KNOWN_PHONE
    return PLUS_NUMBER if plus else 0


def _best(found: list[Span]) -> list[Span]:
    """The disjoint spans with the greatest sum of weights; of equals, what stands earlier."""
    found.sort(key=lambda span: (span.end, span.start))
    ends = [span.end for span in found]
    total = [0]
    before = []
    for i, span in enumerate(found):
        free = bisect_right(ends, span.start, hi=i)
        before.append(free)
        total.append(max(total[i], total[free] + span.weight))
    chosen = []
    i = len(found)
    while i:
        if total[i] == total[i - 1]:
            i -= 1
        else:
            chosen.append(found[i - 1])
            i = before[i - 1]
    return chosen[::-1]
