"""Seeded mutations of PDUs: what a broken or hostile SMSC may write."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

LENGTHS: Final = (0, 1, 15, 16, 17, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 65_552, 65_553)
COMMANDS: Final = (0, 1, 4, 5, 6, 9, 0x15, 0x102, 0x103, 0xFFFF, 0x80000000, 0x80000004, 0x80000009)


class Mutator:
    """Makes streams of octets out of captured PDUs; the same seed makes the same streams."""

    def __init__(self, captures: Sequence[bytes], seed: int) -> None:
        self._captures = list(captures)
        # A random number for tests, not for secrets.
        self._random = random.Random(seed)  # noqa: S311

    def stream(self) -> bytes:
        """A few PDUs in a row, some of them as they were, some broken."""
        pick = self._random
        return b"".join(self._pdu() for _ in range(pick.randint(1, 8)))

    def pieces(self, stream: bytes) -> list[bytes]:
        """The stream as TCP may cut it."""
        pick = self._random
        sort = pick.random()
        if sort < 0.3:
            return [stream]
        if sort < 0.4:
            return [stream[at : at + 1] for at in range(len(stream))]
        cuts = sorted(pick.randrange(len(stream) + 1) for _ in range(pick.randint(1, 6)))
        return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) if b > a]

    def _pdu(self) -> bytes:
        pick = self._random
        pdu = bytearray(pick.choice(self._captures))
        struct.pack_into(">I", pdu, 12, pick.choice((pick.randint(1, 50), pick.getrandbits(32))))
        for _ in range(pick.choice((0, 0, 1, 1, 2, 5))):
            pdu = pick.choice((self._flip, self._cut, self._insert, self._header, self._double, self._other))(
                pdu
            )
        if len(pdu) >= 16 and pick.random() < 0.6:  # a length that is right keeps the framing
            struct.pack_into(">I", pdu, 0, len(pdu))
        return bytes(pdu)

    def _flip(self, pdu: bytearray) -> bytearray:
        for _ in range(self._random.randint(1, 4)):
            if pdu:
                pdu[self._random.randrange(len(pdu))] ^= 1 << self._random.randrange(8)
        return pdu

    def _cut(self, pdu: bytearray) -> bytearray:
        return pdu[: self._random.randrange(len(pdu) + 1)]

    def _insert(self, pdu: bytearray) -> bytearray:
        at = self._random.randrange(len(pdu) + 1)
        return pdu[:at] + self._random.randbytes(self._random.choice((1, 3, 255, 300))) + pdu[at:]

    def _header(self, pdu: bytearray) -> bytearray:
        if len(pdu) >= 16:
            at, values = self._random.choice(((0, LENGTHS), (4, COMMANDS), (8, LENGTHS), (12, LENGTHS)))
            struct.pack_into(">I", pdu, at, self._random.choice(values))
        return pdu

    def _double(self, pdu: bytearray) -> bytearray:
        return pdu + pdu[self._random.randrange(len(pdu) + 1) :]

    def _other(self, pdu: bytearray) -> bytearray:
        other = self._random.choice(self._captures)
        return pdu[: self._random.randrange(len(pdu) + 1)] + other[self._random.randrange(len(other)) :]
