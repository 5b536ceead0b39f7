"""The octets of a text that goes out: which encoding, how many segments, cut where.

A part never ends inside an escape pair (GSM 03.38) or a surrogate pair (UTF-16). Parts come without a user
data header; whoever sends them puts one before each when there are several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from gateway.domain.sms import gsm, look_alikes

GSM7: Final = 0x00
UCS2: Final = 0x08
MAX_PARTS: Final = 255  # one octet in the header

_ONE_GSM7: Final = 160  # septets in a message alone
_EACH_GSM7: Final = 153  # septets beside a header of six octets
_ONE_UCS2: Final = 140  # octets
_EACH_UCS2: Final = 134

# What data_coding 0 may mean for a text that goes out by it; where it means something else all goes as UCS-2.
_DEFAULTS: Final = {"gsm7": None, "latin1": "latin-1", "ascii": "ascii"}


class TooManyPartsError(ValueError):
    """The text needs more than 255 parts; one message cannot carry it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """A text as it is submitted: `parts` are short_message bodies without headers, for this data_coding."""

    encoding: Literal["gsm7", "ucs2"]
    data_coding: int
    parts: tuple[bytes, ...]


def split(text: str, *, default_alphabet: str = "gsm7", ucs2: int = UCS2, plain: bool = False) -> Segments:
    """Encode a text in as few segments as it can have.

    `default_alphabet`: what data_coding 0 means on the link. On latin1 and ascii the SMSC turns the text into
    GSM 03.38 itself, so what both have is sent that way and counted in septets; other than these and gsm7,
    everything goes as UCS-2. `ucs2`: the data_coding that means UCS-2 on the link. `plain`: typographic signs
    may be replaced by their plain twins, which is done only if that brings the text into GSM 03.38 or saves a
    segment. A lone surrogate is sent as U+FFFD. Raises TooManyPartsError.
    """
    parts = _fewest(text, default_alphabet, plain=plain)
    if len(parts.parts) > MAX_PARTS:
        raise TooManyPartsError(f"{len(parts.parts)} parts, {MAX_PARTS} at most")
    return parts if parts.encoding == "gsm7" else replace(parts, data_coding=ucs2)


def count(text: str, *, plain: bool = False) -> int:
    """How many segments the text costs, at any length, where 0 means GSM 03.38. `plain`: as in `split`."""
    return len(_fewest(text, "gsm7", plain=plain).parts)


def _fewest(text: str, default_alphabet: str, *, plain: bool) -> Segments:
    whole = _encoded(text, default_alphabet)
    if whole.encoding == "gsm7" or not plain:
        return whole
    # In this order, so that of equals the one with fewer changes goes.
    tries = [whole, *(_encoded(t, default_alphabet) for t in look_alikes.plainer(text))]
    return min(tries, key=lambda t: (len(t.parts), t.encoding == "ucs2"))


def _encoded(text: str, default_alphabet: str) -> Segments:
    septets = gsm.encode(text) if default_alphabet in _DEFAULTS else None
    charset = _DEFAULTS.get(default_alphabet)
    if septets is not None and (charset is None or _encodable(text, charset)):
        cut = (septets,) if len(septets) <= _ONE_GSM7 else tuple(_septets(septets))
        parts = cut if charset is None else tuple(gsm.decode(part).encode(charset) for part in cut)
        return Segments(encoding="gsm7", data_coding=GSM7, parts=parts)
    body = _utf16(text)
    parts = (body,) if len(body) <= _ONE_UCS2 else tuple(_units(body))
    return Segments(encoding="ucs2", data_coding=UCS2, parts=parts)


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


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        whole = text.encode("utf-16-be", "surrogatepass")  # halves that belong together join here
        return whole.decode("utf-16-be", "replace").encode("utf-16-be")
