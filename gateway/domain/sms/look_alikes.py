"""Typographic signs and their plain twins: “ ” – … cost a text its place in GSM 03.38, " - ... do not.

Only signs, spaces and invisible marks are replaced, never a letter or a digit of any language: a Latin A for
a Cyrillic one would save as much, and break search, screen readers and trust.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import Final

# Shown as nothing, and without a meaning for joining or direction: soft hyphen, zero width space, word
# joiner, byte order mark.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))

_TWINS: Final = (
    ('"', "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e\u2036"),
    ("'", "\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u2035\u0060\u00b4"),
    ("-", "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043"),
    ("...", "\u2026"),
    (" ", "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"),
    ("\n", "\u2028\u2029\u0085\u000b"),
    ("*", "\u2022\u2023\u2217\u25cf\u25aa"),
    ("/", "\u2044\u2215"),
    ("|", "\u00a6\u2223"),
    ("~", "\u02dc\u223c"),
    ("x", "\u00d7"),
    ("!!", "\u203c"),
)
REPLACEMENTS: Final = MappingProxyType(
    {ord(sign): plain for plain, signs in _TWINS for sign in signs} | _INVISIBLE
)


_CHANGING: Final = re.compile(f"[{re.escape(''.join(map(chr, REPLACEMENTS)))}]")


def plainer(text: str) -> tuple[str, ...]:
    """Spellings of the same text that may cost less, the one with fewer changes first; none if there is none.

    First: accents joined to their letters (NFC), invisible marks left out. Then also each sign that has a
    plain twin in GSM 03.38 replaced by it.

    >>> plainer("\u201cYes\u201d \u2013 it works\u2026")[-1]
    '"Yes" - it works...'
    """
    normal = text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    if not _CHANGING.search(normal):
        return () if normal == text else (normal,)
    return normal.translate(_INVISIBLE), normal.translate(REPLACEMENTS)
