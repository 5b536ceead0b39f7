"""Bends what an SMSC said: a stream of PDUs in, hostile pieces out; the same seed, the same pieces."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from smpp.protocol import codec, wire

LENGTHS: Final = (0, 1, 15, 16, 17, 40, wire.MAX_LENGTH, wire.MAX_LENGTH + 1, 2**31, 2**32 - 1)
COMMANDS: Final = (*sorted(codec.COMMANDS.values()), 0, 0x0F, 0x10203, 0x7FFFFFFF, 0xFFFFFFFF)
NUMBERS: Final = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Mutator:
    """Bends every PDU with a chance of `share`."""

    def __init__(self, seed: int, share: float = 0.3) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._share = share
        self._ways = (
            self._flip,
            self._flip_many,
            self._cut_body,
            self._cut_stream,
            self._drop_nuls,
            self._lengthen,
            self._put_length,
            self._put_command,
            self._put_number,
            self._put_status,
            self._noise,
            self._twice,
        )

    def bend(self, pdu: bytes) -> bytes:
        """One PDU, perhaps as it was."""
        if self._chance.random() >= self._share:
            return pdu
        return self._chance.choice(self._ways)(pdu)

    def stream(self, pdus: Sequence[bytes]) -> bytes:
        """Many PDUs, some bent, some out of their order."""
        bent = [self.bend(pdu) for pdu in pdus]
        if self._chance.random() < self._share:
            self._chance.shuffle(bent)
        return b"".join(bent)

    def pieces(self, octets: bytes) -> list[bytes]:
        """The same octets as a network may bring them: at once, one by one, or anyhow."""
        most = self._chance.choice((1, 7, 60, 1000, len(octets) + 1))
        found, at = [], 0
        while at < len(octets):
            size = self._chance.randint(1, most)
            found.append(octets[at : at + size])
            at += size
        return found

    def _flip(self, pdu: bytes) -> bytes:
        at = self._chance.randrange(len(pdu) * 8)
        bent = bytearray(pdu)
        bent[at // 8] ^= 1 << at % 8
        return bytes(bent)

    def _flip_many(self, pdu: bytes) -> bytes:
        for _ in range(self._chance.randint(2, 20)):
            pdu = self._flip(pdu)
        return pdu

    def _cut_body(self, pdu: bytes) -> bytes:
        """Shorter, and its length says so: framing is kept."""
        return _framed(pdu[: self._chance.randint(16, len(pdu))])

    def _cut_stream(self, pdu: bytes) -> bytes:
        """Shorter than its length says: what follows is taken for its end."""
        return pdu[: self._chance.randrange(len(pdu))]

    def _drop_nuls(self, pdu: bytes) -> bytes:
        body = pdu[16:].replace(b"\0", self._chance.choice((b"", b"\xff")), self._chance.randint(1, 8))
        return _framed(pdu[:16] + body)

    def _lengthen(self, pdu: bytes) -> bytes:
        return _framed(pdu + self._chance.randbytes(self._chance.randint(1, 400)))

    def _put_length(self, pdu: bytes) -> bytes:
        return self._chance.choice(LENGTHS).to_bytes(4, "big") + pdu[4:]

    def _put_command(self, pdu: bytes) -> bytes:
        return pdu[:4] + self._chance.choice(COMMANDS).to_bytes(4, "big") + pdu[8:]

    def _put_status(self, pdu: bytes) -> bytes:
        return pdu[:8] + self._chance.randbytes(4) + pdu[12:]

    def _put_number(self, pdu: bytes) -> bytes:
        return pdu[:12] + self._chance.choice(NUMBERS).to_bytes(4, "big") + pdu[16:]

    def _noise(self, pdu: bytes) -> bytes:
        return self._chance.randbytes(len(pdu))

    def _twice(self, pdu: bytes) -> bytes:
        return pdu + pdu


def _framed(pdu: bytes) -> bytes:
    return len(pdu).to_bytes(4, "big") + pdu[4:]
