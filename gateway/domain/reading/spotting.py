"""Finding the codes in a text, and what only looks like them. Pure and total.

Codes, almost-codes, phone numbers and dates are proposed independently, with weights; the disjoint proposals
with the greatest sum win. So a code as printed takes its characters before a phone number does, and a phone
number before a far-fetched code. Each chunk begins only so many proposals as a code has symbols, so the work
is linear in the text but for one sort.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from gateway.domain.reading.chunks import Chunk, chunks, runs
from gateway.domain.reading.shapes import Form, Span, Weight, codes

# Numbers as people write them: Ukraine; Russia and Kazakhstan; neighbours whose numbers have twelve digits.
_PHONE: Final = re.compile(
    r"(?:00)?380[3-9][0-9]{8}|0[3-9][0-9]{8}|[78][3-9][0-9]{9}|7[0-7][0-9]{8}|9[0-9]{9}"
    r"|(?:375|99[24568])[0-9]{9}"
)
_DATE: Final = re.compile(
    r"(?<![0-9])(?:[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?![0-9])"
)
# Without one of these there is neither a code nor a mistyped one.
_PROMISING: Final = re.compile(r"[0-9-]")
_SHORTEST_NUMBER: Final = 8
_LONGEST_NUMBER: Final = 15  # E.164
_PHONE_JOINTS: Final = frozenset(" -.()/")


def spot(text: str, forms: Sequence[Form]) -> list[Span]:
    """The spans of a cleaned text that are taken for something, in order, disjoint."""
    if not _PROMISING.search(text):
        return []
    rows = {form.alphabet: chunks(text, form.alphabet) for form in forms}
    digits = rows["digits"] if "digits" in rows else chunks(text, "digits")
    found = [span for form in forms for run in runs(rows[form.alphabet]) for span in codes(run, form)]
    if not digits or (len(found) == 1 and found[0].weight >= Weight.EXACT):
        return found if len(found) == 1 else _best(found)
    found += _phones(digits)
    found += [Span(match.start(), match.end(), Weight.DATE) for match in _DATE.finditer(text)]
    return _best(found)


def _phones(row: Sequence[Chunk]) -> Iterator[Span]:
    for first, chunk in enumerate(row):
        digits = ""
        for last in range(first, len(row)):
            group = row[last]
            digits += group.symbols
            if len(digits) > _LONGEST_NUMBER or group.digits != len(group.symbols):
                break
            weight = _phone_weight(digits, plus=chunk.plus)
            if weight:
                yield Span(chunk.start - chunk.plus, group.end, weight)
            if not group.joint or not _PHONE_JOINTS.issuperset(group.joint):
                break


def _phone_weight(digits: str, *, plus: bool) -> int:
    if len(digits) < _SHORTEST_NUMBER:
        return 0
    if _PHONE.fullmatch(digits):
        return Weight.PLUS_PHONE if plus else Weight.KNOWN_PHONE
    return Weight.PLUS_NUMBER if plus else 0


def _best(found: list[Span]) -> list[Span]:
    """The disjoint spans with the greatest sum of weights; of equals, what ends earlier."""
    found.sort(key=lambda span: (span.end, span.start))
    ends = [span.end for span in found]
    free: list[int] = []  # how many spans end before this one starts
    total = [0]
    for i, span in enumerate(found):
        free.append(bisect_right(ends, span.start, hi=i))
        total.append(max(total[i], total[free[i]] + span.weight))
    chosen = []
    i = len(found)
    while i:
        if total[i] == total[i - 1]:
            i -= 1
        else:
            chosen.append(found[i - 1])
            i = free[i - 1]
    return chosen[::-1]
