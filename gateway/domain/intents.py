"""From words to intents and to a language. Pure and total; the words themselves are in `keywords`.

A sentence is an intent when nothing but a keyword phrase and polite filling is in it. Refusals are read more
widely: a person who says no in own words is heard. The price is that a rare complaint is taken for a STOP;
the other mistake would be a message to somebody who said no.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from gateway.domain import keywords
from gateway.domain.alphabet import TWINS
from gateway.domain.keywords import Intent

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`][^\W\d_]+)*")
SENTENCE = re.compile(r"([.!?…;\n]+)")
_SKELETON = str.maketrans({**TWINS, **{twin.lower(): latin for twin, latin in TWINS.items()}})
_KK = frozenset("әғқңөұүһӘҒҚҢӨҰҮҺ")
_UK = frozenset("їєґЇЄҐ")
_RU = frozenset("ыэъёЫЭЪЁ")
_SHARED_I = frozenset("іІ")  # Ukrainian and Kazakh, never Russian


def folded(word: str) -> str:
    """A word as its shape: one spelling for all that look alike, apostrophes gone."""
    plain = word if word.isascii() else unicodedata.normalize("NFC", word).translate(_SKELETON)
    return plain.upper().replace("'", "").replace("’", "").replace("ʼ", "").replace("`", "")


def _words(listed: str) -> frozenset[str]:
    return frozenset(folded(word) for word in listed.split("|"))


class _Phrase(NamedTuple):
    intent: Intent
    language: str  # empty when it tells none


def _phrase_table() -> dict[tuple[str, ...], _Phrase]:
    table: dict[tuple[str, ...], _Phrase] = {}
    for intent, by_language in keywords.PHRASES.items():
        for language, phrases in by_language.items():
            for phrase in phrases.split("|"):
                key = tuple(folded(word) for word in phrase.split())
                known = table.setdefault(key, _Phrase(intent, language))
                if known != (intent, language):
                    raise ValueError(
                        f"keywords: {phrase!r} is listed for {known} and for {intent}, {language}"
                    )
    return table


def _telling(language: str) -> frozenset[str]:
    """Words that speak for a language: the common ones, and those of its keyword phrases."""
    asked = keywords.PHRASES.items()  # a bare yes tells nothing: "так" is a word of two languages
    own = [phrases[language] for i, phrases in asked if language in phrases and i is not Intent.YES]
    return frozenset("|".join([keywords.TELLING[language], *own]).replace(" ", "|").split("|"))


_PHRASES: Final = _phrase_table()
_LONGEST_PHRASE: Final = max(map(len, _PHRASES))
LEADS: Final = _words(keywords.STOP_LEADS)
_NEGATIONS: Final = _words(keywords.NEGATIONS)
_BETWEEN: Final = _words(keywords.BETWEEN)
_REFUSED: Final = _words(keywords.REFUSED)
FILLING: Final = _words(keywords.FILLING)
_TELLING: Final = {language: _telling(language) for language in keywords.TELLING}


class Said(NamedTuple):
    """What the words of a text say: intents in order, each once, and the language or None."""

    intents: tuple[Intent, ...]
    language: str | None


def said(text: str) -> Said:
    """Read the words of a cleaned text from which codes and numbers are already blanked."""
    if "?" in text and not text.strip(" \n¿?!"):
        return Said((Intent.HELP,), None)
    phrases: list[_Phrase] = []
    everything: list[str] = []
    pieces = SENTENCE.split(text)
    for sentence, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        typed = _WORD.findall(sentence)
        everything += typed
        phrases += _sentence([folded(word) for word in typed], asks="?" in mark)
    intents = dict.fromkeys(phrase.intent for phrase in phrases)
    if Intent.STOP in intents:
        intents.pop(Intent.START, None)  # whoever says both is taken to say no
    if len(intents) > 1:
        intents.pop(Intent.YES, None)  # it answers our question only where nothing else is said
    return Said(tuple(intents), _language(text, everything))


def _sentence(words: list[str], *, asks: bool) -> list[_Phrase]:
    """What one sentence asks for. `asks`: it ends with a question mark, so it gives and refuses nothing."""
    phrases = _only_phrases(words)
    if not asks:
        return phrases or ([_Phrase(Intent.STOP, "")] if refuses(words) else [])
    return [phrase for phrase in phrases if phrase.intent not in (Intent.START, Intent.YES)]


def _only_phrases(words: list[str]) -> list[_Phrase]:
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
            if words[at] not in FILLING:
                return []
            at += 1
    return found


def is_plain_stop(words: list[str]) -> bool:
    """Whether a sentence is a keyword of refusal, and nothing else but filling."""
    return any(phrase.intent is Intent.STOP for phrase in _only_phrases(words))


def refuses(words: list[str]) -> bool:
    """Whether a sentence says no in other words than a keyword alone."""
    core = [word for word in words if word not in FILLING]
    if core and core[0] in LEADS and len(core) <= keywords.STOP_LEAD_WORDS:
        return True
    negated = False
    for before, word in zip(["", *words], words, strict=False):
        if negated and word in _REFUSED:
            return True
        no = word in _NEGATIONS or (word == "NOT" and before == "DO")
        negated = no or (negated and word in _BETWEEN)
    return False


def _language(text: str, words: list[str]) -> str | None:
    """By letters that only one language has, then by the words, not folded; None when in doubt."""
    letters = frozenset(text)
    if letters & _KK:
        return "kk"
    if letters & _UK:
        return "uk"
    plain = [word.lower() for word in words]
    votes = {language: sum(word in listed for word in plain) for language, listed in _TELLING.items()}
    if letters & _RU:
        votes["ru"] += 1
    if letters & _SHARED_I:
        votes["uk"] += 1
        votes["ru"] = 0
    most = max(votes.values())
    leaders = [language for language, count in votes.items() if count == most and count > 0]
    return leaders[0] if len(leaders) == 1 else None
