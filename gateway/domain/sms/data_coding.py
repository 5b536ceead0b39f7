"""What data_coding says of a body: its alphabet, and the text in it.

SMPP 3.4, 5.2.19, for the values that name an alphabet there; the others are passed on from the radio side and
mean what 3GPP TS 23.038, 4, says of them, as far as that is sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from gateway.domain.sms import gsm
from gateway.domain.sms.said_coding import spoken

Alphabet = Literal[
    "gsm7", "latin1", "ascii", "iso8859-5", "iso8859-8", "ucs2", "utf-16-le", "utf8", "cp1251", "binary"
]

NO_OVERRIDES: Final[Mapping[int, Alphabet]] = MappingProxyType({})

_CODECS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "latin1": "latin-1",
        "ascii": "ascii",
        "iso8859-5": "iso8859-5",
        "iso8859-8": "iso8859-8",
        "utf-16-le": "utf-16-le",
        "utf8": "utf-8",
        "cp1251": "cp1251",
    }
)
_GROUPED: Final[tuple[Alphabet | None, ...]] = ("gsm7", "binary", "ucs2", None)  # bits 3 and 2; 23.038, 4
_COMPRESSED: Final = 0x20


def _standard(data_coding: int) -> Alphabet | None:
    """The alphabet of a data_coding; None for the SMSC's default and for what is reserved."""
    named: dict[int, Alphabet] = {
        1: "ascii", 2: "binary", 3: "latin1", 4: "binary", 6: "iso8859-5", 7: "iso8859-8", 8: "ucs2",
    }  # fmt: skip
    group = data_coding >> 4
    if group == 0:
        return named.get(data_coding)
    if group < 0x8:  # general data coding with a class, and the same marked for automatic deletion
        # Nothing compresses (TS 23.042), so the bit is a mistake: such a body is read like the default.
        return None if data_coding & _COMPRESSED else _GROUPED[data_coding >> 2 & 3]
    if group < 0xC:
        return None
    if group == 0xE:  # message waiting, stored, UCS-2
        return "ucs2"
    if group == 0xF:  # message class; bit 3 is reserved
        return "binary" if data_coding & 0x04 else "gsm7"
    return "gsm7"  # message waiting


_STANDARD: Final = tuple(_standard(data_coding) for data_coding in range(256))


def alphabet_of(
    data_coding: int, default: Alphabet = "gsm7", overrides: Mapping[int, Alphabet] = NO_OVERRIDES
) -> Alphabet:
    """The alphabet of a body. `default`: what 0 and reserved values mean on the link; `overrides` win."""
    return overrides.get(data_coding) or _STANDARD[data_coding & 0xFF] or default


def decode_body(
    body: bytes,
    data_coding: int,
    default: Alphabet = "gsm7",
    overrides: Mapping[int, Alphabet] = NO_OVERRIDES,
) -> str:
    """The text of a short_message body, header removed; GSM 03.38 with one septet in one octet.

    `default`, `overrides`: as the link has them, see `alphabet_of`. Never raises for any body or data_coding:
    what cannot be decoded is U+FFFD, a unit of UCS-2 that was cut in half as well. Binary is read as UTF-8 or
    else as Latin-1: some phones and gateways send plain text so, and a code in it is a code. Where the
    alphabet makes no sense of the body, the one is taken that the body itself says (see said_coding).
    """
    alphabet = alphabet_of(data_coding, default, overrides)
    codec = spoken(body, alphabet)
    if codec is not None:
        return body.decode(codec, "replace")
    if alphabet == "gsm7":
        return gsm.decode(body)
    if alphabet == "ucs2":
        return _from_utf16(body)
    if alphabet == "binary":
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            return body.decode("latin-1")
    return body.decode(_CODECS[alphabet], "replace")


def _from_utf16(body: bytes) -> str:
    if body[:2] == b"\xff\xfe":
        return body[2:].decode("utf-16-le", "replace")
    return body.removeprefix(b"\xfe\xff").decode("utf-16-be", "replace")
