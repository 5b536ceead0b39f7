"""From the text of a message to the codes and wishes in it: pure, total, in time linear in the text.

The parser works by shape. It never asks whether a code is live, so what it says helps nobody to guess. What
looks like a code with a symbol missing or too many is a candidate all the same: it resolves to nothing and is
answered as invalid. A phone number, a date or an address is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from gateway.domain.codes.alphabet import ALPHABETS, clean, groups
from gateway.domain.codes.candidate import Candidate, CodeForm
from gateway.domain.reading.intents import Said, said
from gateway.domain.reading.joined import Row, rows
from gateway.domain.reading.keywords import Intent
from gateway.domain.reading.shapes import Form, Span
from gateway.domain.reading.spotting import spot

__all__ = ["Candidate", "CodeForm", "Intent", "Reading", "read_text"]

# Characters that are read: thirty parts in Cyrillic, over a hundred codes. Bounds a text's time. Of a longer
# text the beginning and the end are read, and codes as printed in between.
MAX_TEXT = 2_000
_END = 400  # of these at the end
_SEAM = 40  # within which a word is left whole
_LONGEST = 65_536  # octets of an SMPP message


class Reading(NamedTuple):
    """What a text says.

    `candidates`, `intents`: each once, in order of appearance. `language`: uk, ru, kk, en, or None when the
    text does not tell. `clipped`: how many candidates were left out because there were too many. `joined`:
    rows of characters that may be codes run together, each with the ways to cut it; the first way of which
    every piece is a code counts, and a row without one is nothing.
    """

    candidates: tuple[Candidate, ...]
    intents: tuple[Intent, ...]
    language: str | None
    clipped: int
    joined: tuple[tuple[tuple[Candidate, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is worked out once for a set of forms."""

    by_alphabet: tuple[Form, ...]
    alone: re.Pattern[str]  # a text that is one code, as printed or without separators
    amid: re.Pattern[str]  # the same among words
    names: tuple[str, ...]  # the alphabet of each group of both


# Words among which a code can be read without weighing anything else: no other digit, nothing like a hyphen.
_ONLY_WORDS = re.compile(r"[^0-9|-]*+")


def read_text(text: str, forms: Sequence[CodeForm], *, max_candidates: int = 20) -> Reading:
    """Read a text that came to a short number where codes of these `forms` are taken.

    Never raises, whatever the text; of one over `MAX_TEXT` characters see there. At most
    `max_candidates` candidates are returned, the others are counted in `clipped`.
    """
    plan = _plan(tuple(forms))
    match = plan.alone.fullmatch(text)
    if match is not None:
        return _reading((_as_printed(match, plan),), Said((), None), max_candidates)
    text = clean(text if len(text) <= MAX_TEXT else _shortened(text[:_LONGEST], plan, max_candidates))
    match = plan.amid.search(text)
    if match is not None:
        rest = text[: match.start()] + " " + text[match.end() :]
        if _ONLY_WORDS.fullmatch(rest):
            return _reading((_as_printed(match, plan),), _said_once(rest, beside=True), max_candidates)
    return _weighed(text, plan, max_candidates)


def _shortened(text: str, plan: _Plan, most: int) -> str:
    """A long text as its beginning, the codes in its middle, and its end."""
    head, tail = MAX_TEXT - _END, len(text) - _END
    head = max(text.rfind(" ", head - _SEAM, head), text.rfind("\n", head - _SEAM, head), head - _SEAM)
    gap = min(
        (at for at in (text.find(" ", tail, tail + _SEAM), text.find("\n", tail, tail + _SEAM)) if at >= 0),
        default=tail,
    )
    middle = islice(plan.amid.finditer(clean(text[head:gap])), most + 1)
    return "\n".join((text[:head], *(match[0] for match in middle), text[gap:]))


# The words around a code are few and the same ones over and over; there is no digit among them.
_said_once = lru_cache(maxsize=2048)(said)


def _weighed(text: str, plan: _Plan, max_candidates: int) -> Reading:
    """A cleaned text in which everything that could be a code is weighed against what else it could be."""
    glued = rows(text, plan.by_alphabet)
    text = _without(text, glued)
    spans = spot(text, plan.by_alphabet)
    if "|" in text and not _has_exact(spans, plan):
        # A bar was read as a 1. It gave no code, so it may have been a separator.
        spans = spot(text.replace("|", "/"), plan.by_alphabet)
    found = dict.fromkeys(Candidate(alphabet=s.alphabet, symbols=s.symbols) for s in spans if s.alphabet)
    beside = bool(spans or glued)
    read = _reading(tuple(found), said(_blanked(text, spans), beside=beside), max_candidates)
    return read._replace(joined=_offered(glued, max_candidates - len(found))) if glued else read


def _offered(glued: Sequence[Row], room: int) -> tuple[tuple[tuple[Candidate, ...], ...], ...]:
    """The ways to cut each row, as many codes as there is room for."""
    offered = []
    for row in glued:
        ways = tuple(tuple(Candidate(*piece) for piece in way) for way in row.ways if len(way) <= room)
        room -= max(map(len, ways), default=0)
        offered.append(ways)
    return tuple(offered)


def _without(text: str, glued: Sequence[Row]) -> str:
    """The text with rows of joined codes blanked, every other character in its place."""
    for row in glued:
        text = text[: row.start] + " " * (row.end - row.start) + text[row.end :]
    return text


def _reading(candidates: tuple[Candidate, ...], words: Said, most: int) -> Reading:
    return Reading(
        candidates=candidates[:most],
        intents=words.intents,
        language=words.language,
        clipped=max(0, len(candidates) - most),
    )


def _as_printed(match: re.Match[str], plan: _Plan) -> Candidate:
    at = match.lastindex or 1
    return Candidate(alphabet=plan.names[at - 1], symbols=match[at].replace("-", "").upper())


def _has_exact(spans: Sequence[Span], plan: _Plan) -> bool:
    lengths = dict(plan.by_alphabet)
    return any(span.alphabet and len(span.symbols) in lengths[span.alphabet] for span in spans)


def _blanked(text: str, spans: Sequence[Span]) -> str:
    """The text with codes, numbers and dates taken out, so that none of them is read as words."""
    if not spans:
        return text
    out, at = [], 0
    for span in spans:
        out.append(text[at : span.start])
        at = span.end
    out.append(text[at:])
    return " ".join(out)


@lru_cache(maxsize=256)
def _plan(forms: tuple[CodeForm, ...]) -> _Plan:
    """Raises KeyError for an alphabet that does not exist: that is a fault of the caller, not of the text."""
    lengths: dict[str, set[int]] = {}
    for form in forms:
        lengths.setdefault(form.alphabet, set()).add(form.length)
    # Digits first: a row of digits that both alphabets could have printed is a code of digits.
    ordered = sorted(Form(name, tuple(sorted(sizes))) for name, sizes in lengths.items())
    patterns, names = [], []
    for name, sizes in ordered:
        symbols = re.escape(ALPHABETS[name].symbols + ALPHABETS[name].symbols.lower())
        for size in sizes:
            body = "-?".join(f"[{symbols}]{{{group}}}" for group in groups(size))
            has_digit = "" if name == "digits" else "(?=[a-zA-Z-]*+[0-9])"
            patterns.append(f"{has_digit}({body})")
            names.append(name)
    either = "|".join(patterns) or r"(?!)"
    alone = re.compile(rf"\s*+(?:{either})\s*+", re.ASCII)
    # What touches it is no part of a longer code, nor of a number that begins with +.
    amid = re.compile(rf"(?<![\w|+-])(?:{either})(?![\w|-])")
    return _Plan(tuple(ordered), alone, amid, tuple(names))
