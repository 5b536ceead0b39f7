"""A word as its shape: one spelling for what looks alike, a looser one for what people type alike. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from gateway.domain.codes.alphabet import TWINS

_SKELETON: Final = str.maketrans({**TWINS, **{twin.lower(): latin for twin, latin in TWINS.items()}})
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("'’ʼ`ʻ‘´"))
# Behind the skeleton: letters that one keyboard has for another's, accents of Latin, soft and hard signs.
_LOOSE: Final = str.maketrans(
    dict(zip("ИЙЇІЫЄЭҚҢҒҐӨӘЩŁØĐı", "IIIIIEEKHГГOAШLODI", strict=True)) | {"Ь": None, "Ъ": None, "-": None}
)
_DRAWN_OUT: Final = re.compile(r"(.)\1+", re.DOTALL)
_MARKS: Final = re.compile("[\u0300-\u036f]")


def folded(word: str) -> str:
    """A word with one spelling for all letters that look alike, in capitals, apostrophes gone."""
    plain = word if word.isascii() else unicodedata.normalize("NFC", word).translate(_SKELETON)
    return plain.upper().translate(_APOSTROPHES)


@lru_cache(maxsize=8192)
def loose(word: str) -> str:
    """A folded word as people of any keyboard, and in any temper, type it.

    >>> loose(folded("токтатыныз")) == loose(folded("ТОҚТАТЫҢЫЗ")), loose("STOOOP")
    (True, 'STOP')
    """
    bare = word if word.isascii() else _MARKS.sub("", unicodedata.normalize("NFD", word))
    return _DRAWN_OUT.sub(r"\1", bare.translate(_LOOSE))
