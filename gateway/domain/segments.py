"""The octets of a short message and back: which encoding, how many segments, cut where.

A part never ends inside an escape pair (GSM 03.38) or a surrogate pair (UTF-16). Parts come without a user
data header; whoever sends them puts one before each when there are several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from gateway.domain import gsm

GSM7: Final = 0x00
UCS2: Final = 0x08
MAX_PARTS: Final = 255  # one octet in the header

_ONE_GSM7: Final = 160  # septets in a message alone
_EACH_GSM7: Final = 153  # septets beside a header of six octets
_ONE_UCS2: Final = 140  # octets
_EACH_UCS2: Final = 134

# SMPP 3.4, 5.2.19, what data_coding 0 may mean on a link, and the codings that name a character set.
_DEFAULTS: Final = {"gsm7": None, "latin1": "latin-1", "ascii": "ascii"}
_CODECS: Final = {1: "ascii", 2: "latin-1", 3: "latin-1", 4: "latin-1", 6: "iso8859-5", 7: "iso8859-8"}


class TooManyPartsError(ValueError):
    """The text needs more than 255 parts; one message cannot carry it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """A text as it is submitted: `parts` are short_message bodies without headers, for this data_coding."""

    encoding: Literal["gsm7", "ucs2"]
    data_coding: int
    parts: tuple[bytes, ...]


def split(text: str, *, default_alphabet: str = "gsm7") -> Segments:
    """Encode a text in as few segments as it can have.

    `default_alphabet`: what data_coding 0 means on the link: gsm7, latin1 or ascii. On the latter two the
    SMSC turns the text into GSM 03.38 itself, so what both have is sent that way and counted in septets.
    A lone surrogate is sent as U+FFFD. Raises TooManyPartsError.
    """
    charset = _DEFAULTS[default_alphabet]
    septets = gsm.encode(text)
    if septets is not None and (charset is None or _encodable(text, charset)):
        if len(septets) <= _ONE_GSM7:
            body = septets if charset is None else text.encode(charset)
            return Segments(encoding="gsm7", data_coding=GSM7, parts=(body,))
        parts = tuple(p if charset is None else gsm.decode(p).encode(charset) for p in _septets(septets))
        return Segments(encoding="gsm7", data_coding=GSM7, parts=_bounded(parts))
    body = _utf16(text)
    if len(body) <= _ONE_UCS2:
        return Segments(encoding="ucs2", data_coding=UCS2, parts=(body,))
    return Segments(encoding="ucs2", data_coding=UCS2, parts=_bounded(tuple(_units(body))))


def count(text: str) -> int:
    """How many segments the text costs, at any length."""
    septets = gsm.encode(text)
    if septets is not None:
        return 1 if len(septets) <= _ONE_GSM7 else sum(1 for _ in _septets(septets))
    body = _utf16(text)
    return 1 if len(body) <= _ONE_UCS2 else sum(1 for _ in _units(body))


def decode_body(body: bytes, data_coding: int, default_alphabet: str) -> str:
    """The text of a short_message body, header removed. Never raises for any body or data_coding.

    `default_alphabet`: what data_coding 0 means on the link: gsm7, latin1 or ascii. Codings that are reserved
    are read like 0; 0xC0-0xFF as GSM 03.38 group them (TS 23.038, 4). What cannot be decoded is U+FFFD.
    """
    if data_coding == UCS2 or data_coding & 0xF0 == 0xE0:
        return _from_utf16(body)
    if data_coding in _CODECS:
        return body.decode(_CODECS[data_coding], "replace")
    if data_coding & 0xF4 == 0xF4:  # message class, 8-bit data
        return body.decode("latin-1")
    charset = _DEFAULTS.get(default_alphabet) if data_coding < 0xC0 else None
    return gsm.decode(body) if charset is None else body.decode(charset, "replace")


def _encodable(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _septets(septets: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(septets):
        end = at + _EACH_GSM7
        if end < len(septets) and septets[end - 1] == gsm.ESCAPE:
            end -= 1
        yield septets[at:end]
        at = end


def _units(body: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        end = at + _EACH_UCS2
        if end < len(body) and 0xD8 <= body[end - 2] <= 0xDB:  # a high surrogate stands last
            end -= 2
        yield body[at:end]
        at = end


def _bounded(parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(parts) > MAX_PARTS:
        raise TooManyPartsError(f"{len(parts)} parts, {MAX_PARTS} at most")
    return parts


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        whole = text.encode("utf-16-be", "surrogatepass")  # halves that belong together join here
        return whole.decode("utf-16-be", "replace").encode("utf-16-be")


def _from_utf16(body: bytes) -> str:
    if body[:2] == b"\xff\xfe":
        return body[2:].decode("utf-16-le", "replace")
    return body.removeprefix(b"\xfe\xff").decode("utf-16-be", "replace")
