"""The words of an offer: a template a language, filled in for one shopper. Pure.

Placeholders are names in braces. Which one may stand there, and that a text says how to refuse further
ones, is checked before a blast leaves, and at the longest that it can become.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from config import texts
from gateway.domain.answers.longest import MOST_BALANCE
from gateway.domain.reading.keywords import PHRASES, Intent
from gateway.domain.sms.segments import count

POINTS, CODES, FIRST, CAMPAIGN, FIRM, OPT_OUT = "points", "codes", "first", "campaign", "firm", "opt_out"
VARIABLES: Final = (POINTS, CODES, FIRST, CAMPAIGN, FIRM, OPT_OUT)
MOST_CHARACTERS: Final = 2000
_MOST_CODES: Final = 99_999
_MONTHS: Final = tuple(
    int(datetime(2026, month, 28, tzinfo=UTC).timestamp() * 1000) for month in range(1, 13)
)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one shopper at the firm.

    `points`: the balance. `codes`: how many were activated. `first`: when the first was, ms since 1970.
    """

    points: int
    codes: int = 0
    first: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is the same for all: names, and the zone (IANA) in which dates are told."""

    campaign: str
    firm: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """`words`: language -> text. `fallback`: the language for shoppers whose own has no text."""

    words: Mapping[str, str]
    fallback: str

    def language(self, own: str | None) -> str:
        """The language in which a shopper is written to."""
        return own if own is not None and own in self.words else self.fallback

    def uses(self, variable: str) -> bool:
        """Whether any of the texts tells it."""
        return any(variable in _named(words) for words in self.words.values())


def render(template: Template, own: str | None, facts: Facts, setting: Setting) -> str:
    """The text for a shopper. `own`: their language, if it is known."""
    language = template.language(own)
    wording = texts.load(language)
    first = "" if facts.first is None else wording.date("day", _local(facts.first, setting.timezone))
    return template.words[language].format_map(
        {
            POINTS: wording.count("points", facts.points),
            CODES: wording.count("codes", facts.codes),
            FIRST: first,
            CAMPAIGN: setting.campaign,
            FIRM: setting.firm,
            OPT_OUT: wording.say("offer_opt_out"),
        }
    )


def faults(template: Template, setting: Setting, *, most_segments: int) -> list[str]:
    """What is wrong with the words, one line each; nothing when they may be sent.

    Each language must say who writes, by {firm} or the firm's name, and how to refuse, by {opt_out} or a word
    that does it, in capitals: every pack wants both, and a shopper of any country may get any of the texts.
    """
    found = [f"{language}: {told}" for language in template.words for told in _own(template, language)]
    if template.fallback not in template.words:
        found.append(f"{template.fallback}: is the fallback, and has no text")
    if found:
        return found
    for language, words in template.words.items():
        if FIRM not in _named(words) and setting.firm.casefold() not in words.casefold():
            found.append(f"{language}: does not say who writes: put {{{FIRM}}} into it, or {setting.firm}")
        if not says_opt_out(words, language):
            found.append(f"{language}: does not say how to refuse: put {{{OPT_OUT}}} into it, or STOP")
        if (segments := most_taken(template, language, setting)) > most_segments:
            found.append(
                f"{language}: takes {segments} segments at its longest, {most_segments} at most: shorten it"
            )
    return found


def says_opt_out(words: str, language: str) -> bool:
    """Whether a text tells how to refuse further ones."""
    if OPT_OUT in _named(words):
        return True
    refusals = _refusals(language)
    return any(word.isupper() and word.casefold() in refusals for word in _WORD.findall(words))


def _own(template: Template, language: str) -> Iterator[str]:
    words = template.words[language]
    if language not in texts.LANGUAGES:
        yield f"no such language; there are {', '.join(texts.LANGUAGES)}"
    if not words.strip():
        yield "is empty"
    if len(words) > MOST_CHARACTERS:
        yield f"is longer than {MOST_CHARACTERS} characters"
    try:
        fields = list(string.Formatter().parse(words))
    except ValueError:
        yield "braces do not match"
        return
    for _, name, spec, conversion in fields:
        if name is not None and (name not in VARIABLES or spec or conversion):
            yield f"a placeholder is one of {', '.join(f'{{{known}}}' for known in VARIABLES)}"


@lru_cache(maxsize=256)
def _named(words: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(words) if name)


@lru_cache(maxsize=8)
def _refusals(language: str) -> frozenset[str]:
    """Single words that withdraw consent, in this language or in every one."""
    phrases = PHRASES[Intent.STOP]
    told = "|".join(phrases.get(key, "") for key in ("", language))
    return frozenset(word for word in told.split("|") if word and " " not in word)


def most_taken(template: Template, language: str, setting: Setting) -> int:
    """Segments of the text at the most that it may have to tell, in each plural form and month."""
    return max(
        count(render(template, language, Facts(points=points, codes=codes, first=first), setting))
        for points in (MOST_BALANCE, MOST_BALANCE - 7, MOST_BALANCE - 8)
        for codes in (_MOST_CODES, _MOST_CODES - 7, _MOST_CODES - 8)
        for first in _MONTHS
    )


def _local(ms: int, timezone: str) -> datetime:
    return datetime.fromtimestamp(ms / 1000, _zone(timezone))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
