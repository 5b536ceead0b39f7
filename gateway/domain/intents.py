"""From words to intents and to a language. Pure and total; the words themselves are in `keywords`.

A sentence is an intent when nothing but a keyword phrase and polite filling is in it. Refusals are read more
widely: a person who says no in own words is heard. The price is that a rare complaint is taken for a STOP; the
other mistake would be a message to somebody who said no.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.domain import keywords
from gateway.domain.alphabet import TWINS
from gateway.domain.keywords import Intent

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`][^\W\d_]+)*")
_SENTENCE = re.compile(r"([.!?…;\n]+)")
_SKELETON = str.maketrans(
    {t: latin for t, latin in TWINS.items()} | {t.lower(): latin for t, latin in TWINS.items()}
)
_KK = frozenset("әғқңөұүһӘҒҚҢӨҰҮҺ")
_UK = frozenset("їєґЇЄҐ")
_RU = frozenset("ыэъёЫЭЪЁ")
_SHARED_I = frozenset("іІ")  # Ukrainian and Kazakh, never Russian


def _folded(word: str) -> str:
    """A word as its shape: one spelling for all that look alike, apostrophes gone."""
    plain = word if word.isascii() else unicodedata.normalize("NFC", word).translate(_SKELETON)
    return plain.upper().replace("'", "").replace("’", "").replace("ʼ", "").replace("`", "")


def _words(listed: str) -> frozenset[str]:
    return frozenset(_folded(word) for word in listed.split("|"))


def _phrase_table() -> dict[tuple[str, ...], tuple[Intent, frozenset[str]]]:
    table: dict[tuple[str, ...], tuple[Intent, frozenset[str]]] = {}
    for intent, by_language in keywords.PHRASES.items():
        for languages, phrases in by_language.items():
            for phrase in phrases.split("|"):
                key = tuple(_folded(word) for word in phrase.split())
                known = table.get(key, (intent, frozenset[str]()))
                if known[0] is not intent:
                    raise ValueError(f"keywords: {phrase!r} stands for {known[0]} and for {intent}")
                table[key] = (intent, known[1] | frozenset(languages.split()))
    return table


_PHRASES: Final = _phrase_table()
_LONGEST_PHRASE: Final = max(map(len, _PHRASES))
_LEADS: Final = _words(keywords.STOP_LEADS)
_NEGATIONS: Final = _words(keywords.NEGATIONS)
_BETWEEN: Final = _words(keywords.BETWEEN)
_REFUSED: Final = _words(keywords.REFUSED)
_FILLING: Final = _words(keywords.FILLING)
_TELLING: Final = {language: _words(words) for language, words in keywords.TELLING.items()}


class Said(NamedTuple):
    """What the words of a text say: intents in order, each once, and the language or None."""

    intents: tuple[Intent, ...]
    language: str | None


def said(text: str) -> Said:
    """Read the words of a cleaned text from which codes and numbers are already blanked."""
    if text.strip(" \n¿?") == "" and "?" in text:
        return Said((Intent.HELP,), None)
    intents: dict[Intent, None] = {}
    languages: list[frozenset[str]] = []
    everything: list[str] = []
    pieces = _SENTENCE.split(text)
    for sentence, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        words = [_folded(word) for word in _WORD.findall(sentence)]
        everything += words
        for intent, told in _sentence(words, asks="?" in mark):
            intents[intent] = None
            languages.append(told)
    if Intent.STOP in intents:
        intents.pop(Intent.START, None)  # whoever says both is taken to say no
    return Said(tuple(intents), _language(text, everything, languages))


def _sentence(words: list[str], *, asks: bool) -> Iterator[tuple[Intent, frozenset[str]]]:
    phrases = _all_phrases(words)
    if phrases:
        for intent, told in phrases:
            if not (asks and intent is Intent.START):
                yield intent, told
    elif not asks and _refuses(words):
        yield Intent.STOP, frozenset()


def _all_phrases(words: list[str]) -> list[tuple[Intent, frozenset[str]]]:
    """The phrases of a sentence that has nothing else in it but filling; otherwise empty."""
    found = []
    at = 0
    while at < len(words):
        for size in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            phrase = _PHRASES.get(tuple(words[at : at + size]))
            if phrase:
                found.append(phrase)
                at += size
                break
        else:
            if words[at] not in _FILLING:
                return []
            at += 1
    return found


def _refuses(words: list[str]) -> bool:
    """Whether a sentence says no in other words than a keyword alone."""
    core = [word for word in words if word not in _FILLING]
    if core and core[0] in _LEADS and len(words) <= keywords.STOP_LEAD_WORDS:
        return True
    negated = False
    for word in words:
        if negated and word in _REFUSED:
            return True
        negated = word in _NEGATIONS or (negated and word in _BETWEEN)
    return False


def _language(text: str, words: list[str], told: list[frozenset[str]]) -> str | None:
    """By letters that only one language has, then by keywords, then by common words; None when in doubt."""
    letters = frozenset(text)
    if letters & _KK:
        return "kk"
    if letters & _UK:
        return "uk"
    named = {next(iter(languages)) for languages in told if len(languages) == 1}
    if len(named) == 1:
        return named.pop()
    votes = {language: sum(word in listed for word in words) for language, listed in _TELLING.items()}
    if letters & _RU:
        votes["ru"] += 1
    if letters & _SHARED_I:
        votes["uk"] += 1
        votes["ru"] = 0
    most = max(votes.values())
    leaders = [language for language, count in votes.items() if count == most and count > 0]
    return leaders[0] if len(leaders) == 1 else None
