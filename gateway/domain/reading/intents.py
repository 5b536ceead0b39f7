"""From words to intents and to a language. Pure and total; the words themselves are in `keywords`.

A sentence is an intent when nothing but a keyword phrase and polite filling is in it. Refusals are read more
widely: a person who says no in own words is heard. The price is that a rare complaint is taken for a STOP;
the other mistake would be a message to somebody who said no.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.domain.reading import keywords
from gateway.domain.reading.keywords import Intent
from gateway.domain.reading.own_words import only_how_to_refuse, own_words, without_ours
from gateway.domain.reading.refusals import phrases as refusals
from gateway.domain.reading.refusals.hearing import (
    about_goods,
    grumbles,
    instructs,
    is_keyword,
    is_tag,
    refuses,
    takes_back,
)
from gateway.domain.reading.spelling import folded, loose

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`ʻ‘][^\W\d_]+)*")
_HYPHENED = re.compile(rf"{_WORD.pattern}(?:-{_WORD.pattern})*")
SENTENCE = re.compile(r"([.!?…;\n]+)")
# Between the clauses of a sentence. A hyphen inside a word is none of these: стоп-кран is no refusal.
_CLAUSE = re.compile(
    r"[,:()\[\]{}/«»\"“”„*|]|(?<![^\W_])-+|-+(?![^\W_])"
    r"|\b(?:but|so|но|поэтому|але|тому|бірақ|сондықтан)\b",
    re.IGNORECASE,
)
_KK = frozenset("әғқңөұүһӘҒҚҢӨҰҮҺ")
_UK = frozenset("їєґЇЄҐ")
_RU_OR_KK = frozenset("ыэъЫЭЪёЁ")  # never Ukrainian
_SHARED_I = frozenset("іІ")  # Ukrainian and Kazakh, never Russian


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


def _telling() -> dict[str, frozenset[str]]:
    """Words that speak for a language: the common ones, and those of its keyword phrases.

    What two languages share tells neither.
    """
    asked = keywords.PHRASES.items()  # a bare yes tells nothing: "так" is a word of two languages
    found = {}
    for language, listed in keywords.TELLING.items():
        own = [phrases[language] for i, phrases in asked if language in phrases and i is not Intent.YES]
        found[language] = frozenset("|".join([listed, *own]).replace(" ", "|").split("|"))
    common = frozenset(keywords.SHARED.split("|"))
    return {
        language: words - common.union(*(other for name, other in found.items() if name != language))
        for language, words in found.items()
    }


_PHRASES: Final = _phrase_table()
_LONGEST_PHRASE: Final = max(map(len, _PHRASES))
LEADS: Final = _words(keywords.STOP_LEADS)
FILLING: Final = _words(keywords.FILLING)
_ELSEWHERE: Final = frozenset(
    tuple(loose(folded(word)) for word in phrase.split()) for phrase in refusals.ELSEWHERE.split("|")
)
_ALONE: Final = frozenset(
    tuple(loose(folded(word)) for word in phrase.split()) for phrase in refusals.ALONE.split("|")
)
_STOP: Final = _Phrase(Intent.STOP, "")
_LOOSE_FILLING: Final = frozenset(map(loose, FILLING))
_TELLING: Final = _telling()


class Said(NamedTuple):
    """What the words of a text say: intents in order, each once, and the language or None."""

    intents: tuple[Intent, ...]
    language: str | None


def said(text: str, *, beside: bool = False) -> Said:
    """Read the words of a cleaned text from which codes and numbers are already blanked.

    `beside`: there were some: a question mark beside a code is no cry for help.
    """
    if not text.strip(" \n¿?!"):
        return Said((Intent.HELP,), None) if "?" in text and not beside else Said((), None)
    own = own_words(text)
    heard = _heard(own)
    if heard.intents and (rest := without_ours(own)) != own:
        # Our own wording, quoted without quotation marks; somebody may copy just how to refuse.
        return _heard(rest) if _WORD.search(rest) or not only_how_to_refuse(own) else heard
    return heard


def _heard(text: str) -> Said:
    phrases: list[_Phrase] = []
    everything: list[str] = []
    pieces = SENTENCE.split(text)
    for sentence, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        everything += _WORD.findall(sentence)
        phrases += _sentence(sentence, asks="?" in mark)
    if not phrases and _spells_stop(text, everything):
        phrases = [_STOP]
    intents = dict.fromkeys(phrase.intent for phrase in phrases)
    if Intent.STOP in intents:
        intents.pop(Intent.START, None)  # whoever says both is taken to say no
    if len(intents) > 1:
        intents.pop(Intent.YES, None)  # it answers our question only where nothing else is said
    return Said(tuple(intents), _language(text, everything))


def _spells_stop(text: str, typed: list[str]) -> bool:
    """S T O P, С.Т.О.П; the sign itself; or nothing but how one refuses: "reply STOP"."""
    if text.replace("\N{OCTAGONAL SIGN}", "").strip(" \n!.") == "" and "\N{OCTAGONAL SIGN}" in text:
        return True
    words = [folded(word) for word in typed]
    if len(words) > 2 and all(len(word) <= 2 for word in words):
        return is_keyword(["".join(words)])
    return len(words) <= _HOW_TO_REFUSE and "?" not in text and instructs(words)


_HOW_TO_REFUSE: Final = 4  # words


def _sentence(sentence: str, *, asks: bool) -> list[_Phrase]:
    """What one sentence asks for. `asks`: it ends with a question mark, so it gives and refuses nothing."""
    words = [folded(word) for word in _WORD.findall(sentence)]
    phrases = _only_phrases(words)
    if phrases and asks:
        consents = (Intent.START, Intent.YES, Intent.STOP)
        return [phrase for phrase in phrases if phrase.intent not in consents or _sure(phrase, words)]
    if phrases:
        return phrases
    return [_STOP] if sentence_refuses(sentence, asks=asks) else []


def _sure(phrase: _Phrase, words: list[str]) -> bool:
    """ "стоп?" is a STOP with a doubt; "нет?" is a question."""
    return phrase.intent is Intent.STOP and is_keyword(words)


def sentence_refuses(sentence: str, *, asks: bool = False) -> bool:
    """Whether one clause of a sentence says no in other words than a keyword alone."""
    whole = [folded(word) for word in _WORD.findall(sentence)]
    shapes = tuple(map(loose, whole))
    bare = tuple(shape for shape in shapes if shape not in _LOOSE_FILLING)
    if not asks and (shapes in _ALONE or shapes in _ELSEWHERE or bare in _ELSEWHERE):
        return True
    clauses = [words for words in map(_clause_words, _CLAUSE.split(sentence)) if words]
    if len(clauses) > 1 and asks and is_tag(clauses[-1]):
        asks = False  # "stop texting me, ok?" asks nothing
    if any(instructs(words) or takes_back(words) for words in clauses):
        return False
    goods = about_goods(whole)
    for words in clauses:
        beside = len(clauses) > 1 and (asks or goods)
        if beside and (is_keyword(words) or (goods and grumbles(words))):
            continue  # "стоп, а где мои баллы?" is an interjection, "достали, код не подходит" a complaint
        if refuses(words, asks=asks):
            return True
    return len(clauses) > 1 and refuses(whole, asks=asks)


def _clause_words(clause: str) -> list[str]:
    """Folded words; what is joined by a hyphen is one, unless both halves refuse: стоп-реклама."""
    found = []
    for word in _HYPHENED.findall(clause):
        halves = [folded(half) for half in word.split("-")]
        found += halves if len(halves) > 1 and refuses(halves) and halves[1] not in LEADS else [folded(word)]
    return found


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


def _language(text: str, words: list[str]) -> str | None:
    """By letters that only one language has, then by the words, not folded; None when in doubt."""
    letters = frozenset(text)
    # Ukrainian has no ы, Russian no і, Kazakh both.
    if letters & _KK or (letters & _RU_OR_KK and letters & _SHARED_I):
        return "kk"
    if letters & _UK:
        return "uk"
    plain = [word.lower() for word in words]
    votes = {language: sum(word in listed for word in plain) for language, listed in _TELLING.items()}
    for own, other, seen in (("ru", "uk", _RU_OR_KK), ("uk", "ru", _SHARED_I)):
        if letters & seen:
            votes[other] = 0
            votes[own] += not votes["kk"]
    most = max(votes.values())
    leaders = [language for language, count in votes.items() if count == most and count > 0]
    return leaders[0] if len(leaders) == 1 else None
