"""A refusal of one firm: "STOP Cola", by name or slug. Pure; what is not surely one firm is all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.domain.codes.alphabet import clean
from gateway.domain.reading.intents import FILLING, LEADS, SENTENCE, is_plain_stop, sentence_refuses
from gateway.domain.reading.own_words import own_words
from gateway.domain.reading.spelling import folded

_TOKEN = re.compile(r"[^\W_]+(?:['’ʼ`][^\W_]+)*")
_BETWEEN: Final = frozenset(map(folded, ("from", "от", "від", "of")))


def firm_names(firms: Iterable[tuple[int, str, str]]) -> dict[str, int]:
    """What a text may call each firm: from (id, slug, name). A name that two have is nobody's.

    >>> sorted(firm_names([(1, "cola", "Cola & Co")]))
    ['COLA', 'COLACO']
    """
    found: dict[str, set[int]] = {}
    for firm, slug, name in firms:
        for called in (slug, name):
            found.setdefault("".join(_words(called)), set()).add(firm)
    return {called: next(iter(ids)) for called, ids in found.items() if called and len(ids) == 1}


def named_firms(text: str, names: Mapping[str, int]) -> frozenset[int]:
    """The firms that a text refuses by name; empty when it refuses none by name, or everything.

    `names`: as of `firm_names`, of the firms at the short number.
    """
    found = set()
    for sentence in SENTENCE.split(own_words(clean(text)))[::2]:
        words = _words(sentence)
        if is_plain_stop(words):
            return frozenset()
        firm = _named(words, names)
        if firm is not None:
            found.add(firm)
        elif sentence_refuses(sentence):
            return frozenset()
    return frozenset(found)


def _named(words: list[str], names: Mapping[str, int]) -> int | None:
    """The firm behind the word of refusal and polite filling."""
    while words and words[0] in FILLING:
        words = words[1:]
    if not words or words[0] not in LEADS:
        return None
    rest = words[1:]
    bare = [word for word in rest if word not in FILLING and word not in _BETWEEN]
    return names.get("".join(rest), names.get("".join(bare)))


def _words(text: str) -> list[str]:
    return [folded(word) for word in _TOKEN.findall(text)]
