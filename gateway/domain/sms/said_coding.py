"""The alphabet that a body itself says, for where the header's makes no sense of it. Pure, total.

Some SMSCs pass UCS-2 on under data_coding 0, or little-endian, or the octets of ASCII, UTF-8 or windows-1251
under whatever number they have. A body is read so only where the header's reading is nothing that a person
writes here: in words of Latin or Cyrillic letters, digits, signs and emoji.
"""

from __future__ import annotations

import re
from typing import Final

# What people write to a short number here, line ends included.
_USUAL: Final = re.compile(
    "[\t\n\r -~\u00a0-\u024f\u02bc\u0400-\u052f\u2010-\u2044\u20a0-\u20bf\u2116\u2122\ufe0f"
    "\U0001f000-\U0001faff]"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LETTERS: Final = re.compile("[0-9A-Za-z\u0400-\u052f \n]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f]")
_MIXED: Final = re.compile("[A-Za-z][\u0400-\u052f]|[\u0400-\u052f][A-Za-z]")
_SENSE: Final = 0.75  # of the characters
_HIGH_OCTETS: Final = b"\0\4"  # of Latin letters and digits, of Cyrillic letters
_WIDE_LEAST: Final = 4  # octets: a shorter text may be anything


def spoken(body: bytes, alphabet: str) -> str | None:
    """The codec (Python's name) by which a body reads where `alphabet` makes no sense; None: it does.

    `alphabet`: gsm7, latin1, ascii or ucs2, as the header and the link say; of another nothing is guessed.
    """
    if alphabet == "ucs2":
        return _instead_of_ucs2(body)
    if alphabet in ("gsm7", "latin1", "ascii"):
        return _instead_of_octets(body, alphabet)
    return None


def _instead_of_ucs2(body: bytes) -> str | None:
    if not body[::2].translate(None, _HIGH_OCTETS) and len(body) % 2 == 0:
        return None  # by far the most
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or _sense(body.decode("utf-16-be", "replace")) >= _SENSE:
        return None
    if body.isascii() and _share(_LETTERS, body.decode("ascii")) >= _SENSE and not _has_control(body):
        return "ascii"
    return _wide(body, ("utf-16-le",)) or _eight_bit(body)


def _instead_of_octets(body: bytes, alphabet: str) -> str | None:
    if body.isascii() and 0 not in body and 4 not in body:
        return None
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if wide := _wide(body, ("utf-16-be", "utf-16-le")):
        return wide
    if body.isascii():
        return None
    return _eight_bit(body) or ("latin-1" if alphabet == "gsm7" and not _has_control(body) else None)


def _wide(body: bytes, codecs: tuple[str, ...]) -> str | None:
    """The order of UTF-16 in which each second octet is one that begins the usual letters."""
    if len(body) < _WIDE_LEAST or len(body) % 2:
        return None
    for codec in codecs:
        highs = body[::2] if codec == "utf-16-be" else body[1::2]
        usual = len(highs) - len(highs.translate(None, _HIGH_OCTETS))
        text = body.decode(codec, "replace")
        if usual * 2 > len(highs) and _sense(text) >= _SENSE and not _CONTROL.search(text):
            return codec
    return None


def _eight_bit(body: bytes) -> str | None:
    """UTF-8, or windows-1251 of Cyrillic words: Latin-1's accents stand among plain letters."""
    if _has_control(body):
        return None
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return None if body.isascii() else "utf-8"
    text = body.decode("cp1251", "replace")
    cyrillic = len(_CYRILLIC.findall(text))
    high = sum(octet > 0x7F for octet in body)
    mixed = len(_MIXED.findall(text))
    return "cp1251" if cyrillic >= 2 and cyrillic * 4 >= high * 3 and mixed * 4 <= cyrillic else None


def _has_control(body: bytes) -> bool:
    return _CONTROL.search(body.decode("latin-1")) is not None


def _sense(text: str) -> float:
    return _share(_USUAL, text)


def _share(usual: re.Pattern[str], text: str) -> float:
    return len(usual.findall(text)) / len(text) if text else 1.0
