"""The vault: the one module that turns numbers into keys and opens them again.

A number is kept as an index (HMAC-SHA-256 under a derived key, so that equal numbers meet) and sealed
(AES-256-GCM with its purpose as associated data, so that what was sealed for one use opens for no other).
All keys are derived from the deployment's master secret by HKDF-SHA-256 (RFC 5869).
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections import Counter
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_BLOCK = 64


class SealBroken(Exception):
    """The sealed value was made for another purpose, by another master secret, or was changed."""


class Vault:
    """Derives keys, indexes, seals and opens.

    `opened` counts openings by purpose since it was last collected; the owner of the process writes it
    to the access log.
    """

    def __init__(self, master: bytes) -> None:
        """`master`: the deployment's master secret, 32 bytes."""
        self._master = master
        self._index = _Hmac(self.derive("vault/index"))
        self._digest = _Hmac(self.derive("vault/digest"))
        self._aeads: dict[str, AESGCM] = {}
        self.opened: Counter[str] = Counter()

    def derive(self, label: str, length: int = 32) -> bytes:
        """A key of `length` bytes for one use, named by `label`."""
        return HKDF(algorithm=SHA256(), length=length, salt=b"undercap", info=label.encode()).derive(
            self._master
        )

    def index(self, number: str) -> str:
        """The shopper key of an E.164 number (digits, no plus): 22 characters, the same each time."""
        return _short(self._index.of(number.encode()))

    def digest(self, text: str) -> str:
        """A fingerprint of any text, 22 characters; without the master secret it cannot be tried out."""
        return _short(self._digest.of(text.encode("utf-8", "surrogatepass")))

    def _aead(self, purpose: str) -> AESGCM:
        """A key a purpose: random nonces want no more than 2**32 seals a key (NIST SP 800-38D, 8.3)."""
        if purpose not in self._aeads:
            self._aeads[purpose] = AESGCM(self.derive(f"vault/seal/{purpose}"))
        return self._aeads[purpose]

    def seal(self, purpose: str, clear: bytes) -> bytes:
        """Seal `clear` for one purpose."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead(purpose).encrypt(nonce, clear, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Open what was sealed for this purpose; counted. Raises SealBroken."""
        self.opened[purpose] += 1
        try:
            return self._aead(purpose).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
        except (InvalidTag, ValueError) as err:
            raise SealBroken(purpose) from err


class _Hmac:
    """HMAC-SHA-256 (RFC 2104) whose two keyed blocks are hashed once: a third of hmac.digest's time."""

    def __init__(self, key: bytes) -> None:
        """`key`: at most one block of SHA-256, 64 bytes."""
        block = key.ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(b ^ 0x36 for b in block))
        self._outer = sha256(bytes(b ^ 0x5C for b in block))

    def of(self, message: bytes) -> bytes:
        """The code of a message, 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def _short(digest: bytes) -> str:
    return urlsafe_b64encode(digest[:16])[:22].decode()
