"""What a person says himself in a text, without what he quotes: a reaction, a forwarded offer, our own words.

Pure and total. Codes are read in the whole text; only words that are heard as wishes go through here. A
telephone sends a reaction to our text as a text of its own, in its own language: `Liked “…”`, `👍 to “…”`.
So a quotation is no word of the person, however it is introduced, unless it is all that he says, or no more
than a keyword.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from config import texts

_WORD = re.compile(r"[^\W\d_]+")
_KEYWORD_WORDS: Final = 2  # «СТОП», "STOP ALL": copied from an advertisement with its marks
_MARKS: Final = '“„«"‟❝「『'
_QUOTED: Final = re.compile(
    r"“[^“”]*[”“]|„[^„“”]*[“”]|«[^«»]*»|\"[^\"]*\"|‟[^‟”]*”|❝[^❝❞]*❞|「[^「」]*」|『[^『』]*』|”[^”]*”"
    r"|(?<!\w)[‘'‚][^‘’'\n]*(?:\w['’]\w[^‘’'\n]*)*[’'](?!\w)"
)
# What telephones put before the text that is reacted to. A quotation that is cut off has no end then.
_REACTS: Final = re.compile(
    r"\s*(?:(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|replied to|reacted\b.{0,24}?\bto"
    r"|removed\b.{0,40}?\bfrom|(?:не )?понравилось|нравится|вподобано|(?:не )?сподобалось|ұнады|ұнамады"
    r"|отметка .{0,40}?(?:для|на|к)|відмітка .{0,40}?(?:для|на|до)|реакция .{0,24}?(?:на|к|для)"
    r"|реакція .{0,24}?(?:на|до|для)|отреагировал\w* .{0,24}?на|відреагува\w* .{0,24}?на"
    r"|поставил\w* .{0,40}?(?:на|к|под)|постави\w* .{0,40}?(?:на|до|під)|удален\w* .{0,40}?(?:на|с|к|для|из)"
    r"|видален\w* .{0,40}?(?:на|до|для|з)|[^\w\s]{1,12} ?(?:to|на|до|к|for|removed from))\s*:?\s*)"
    r"[“„«\"‟❝‘']",
    re.IGNORECASE,
)
_FORWARDED: Final = re.compile(
    r"^[ \t]*(?:-{2,}[^\n]{0,60}-{2,}|(?:fwd?|fw|пересл\w*|перенаправл\w*|переадрес\w*"
    r"|(?:begin )?forwarded)\b[^\n]{0,60}?:|forwarded message\b"
    r"|пересланн?ое сообщение\b|переслане повідомлення\b|қайта жіберілген\b)",
    re.IGNORECASE | re.MULTILINE,
)
_CITED: Final = re.compile(r"^[ \t]*(?:>|&gt;).*$", re.MULTILINE)
_MOST: Final = 40  # characters that a placeholder of ours stands for
_GAPS: Final = re.compile(r"[\s.]+")


def own_words(text: str) -> str:
    """A cleaned text with its quotations blanked. All of it, where it is nothing but one quotation."""
    reaction = _REACTS.match(text)
    if reaction:
        closed = _QUOTED.match(text, reaction.end() - 1)
        return text[closed.end() :] if closed else ""
    own = _CITED.sub(" ", text) if ">" in text or "&gt;" in text else text
    forwarded = _FORWARDED.search(own)
    if forwarded:
        own = own[: forwarded.start()]
    blanked = _QUOTED.sub(_blank, own)
    return blanked if _WORD.search(blanked) else own


def _blank(quoted: re.Match[str]) -> str:
    few = len(_WORD.findall(quoted[0])) <= _KEYWORD_WORDS
    return quoted[0][1:-1] if few else " "


def without_ours(text: str) -> str:
    """A text without sentences of ours, in any language, that stand in it word by word."""
    return _ours().sub(" ", text)


def only_how_to_refuse(text: str) -> bool:
    """Whether a text is no more than the words with which an offer tells how to refuse it."""
    return _how_to_refuse().fullmatch(text.strip(" \n.!\"'“”«»")) is not None


@lru_cache(maxsize=1)
def _ours() -> re.Pattern[str]:
    # The longer ones first: a sentence may be the beginning of another.
    return re.compile("|".join(sorted(set(_sentences()), key=len, reverse=True)), re.IGNORECASE)


@lru_cache(maxsize=1)
def _how_to_refuse() -> re.Pattern[str]:
    told = (texts.load(language).sentences["offer_opt_out"] for language in texts.LANGUAGES)
    return re.compile("|".join(map(_pattern, told)), re.IGNORECASE)


def _sentences() -> Iterator[str]:
    for language in texts.LANGUAGES:
        for words in texts.load(language).sentences.values():
            for sentence in re.split(r"(?<=[.!?])\s+", words):
                if len(_WORD.findall(re.sub(r"\{\w+\}", "", sentence))) > 1:
                    yield _pattern(sentence)


def _pattern(sentence: str) -> str:
    """A regular expression of a sentence of ours as it comes back: spaces and full stops may differ."""
    parts = []
    for literal, name, _, _ in string.Formatter().parse(sentence):
        parts.append(r"[\s.]*".join(re.escape(piece) for piece in _GAPS.split(literal)))
        if name is not None:
            parts.append(rf"[^\n]{{1,{_MOST}}}?")
    return "".join(parts)
