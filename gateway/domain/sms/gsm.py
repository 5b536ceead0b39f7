"""GSM 03.38 (3GPP TS 23.038) as SMPP carries it: one septet in one octet, unpacked.

Strict tables: what the default alphabet and its extension do not have is not encoded as something else, so a
backtick never leaves as a section sign, which is what such code often gets wrong.
"""

from __future__ import annotations

import codecs
from typing import Final

ESCAPE: Final = 0x1B
REPLACEMENT: Final = "\ufffd"

# TS 23.038, 6.2.1. Position 0x1B is the escape.
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# TS 23.038, 6.2.1.1: what follows the escape.
_EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip

_ENCODING: Final[dict[int, int | bytes]] = {
    ord(char): septet for septet, char in enumerate(_BASIC) if septet != ESCAPE
}
_ENCODING.update({ord(char): bytes((ESCAPE, septet)) for septet, char in _EXTENSION.items()})
_DECODING: Final = _BASIC + REPLACEMENT * 128

EXTENDED: Final = frozenset(_EXTENSION.values())  # these cost two septets


def encode(text: str) -> bytes | None:
    """One octet a septet; None when a character is in neither table."""
    try:
        return codecs.charmap_encode(text, "strict", _ENCODING)[0]
    except UnicodeEncodeError:
        return None


def decode(body: bytes) -> str:
    """Text of unpacked septets. Total: an octet above 0x7F is U+FFFD.

    As TS 23.038 rules: an escape before a septet that the extension lacks shows that septet's basic
    character, and an escape at the end shows a space.
    """
    if ESCAPE not in body:
        return codecs.charmap_decode(body, "strict", _DECODING)[0]
    out = []
    escaped = False
    for octet in body:
        if escaped:
            out.append(_EXTENSION.get(octet) or (" " if octet == ESCAPE else _DECODING[octet]))
            escaped = False
        elif octet == ESCAPE:
            escaped = True
        else:
            out.append(_DECODING[octet])
    return "".join(out) + (" " if escaped else "")
