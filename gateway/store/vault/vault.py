"""The vault: the one module that turns numbers into keys and opens them again.

A number is kept as an index (HMAC-SHA-256 under a derived key, so that equal numbers meet) and sealed
(AES-256-GCM with its purpose as associated data, so that what was sealed for one use opens for no other).
Keys are derived by HKDF-SHA-256 (RFC 5869): from the deployment's master secret, and those of seals also from
the secret of a generation (gateway.store.vault.sealing_keys), which may be replaced by a new one.

A sealed value is a nonce, the sealed octets and their tag; of a later generation than 0 it begins with MARK
and the generation's number.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from os import urandom
from time import monotonic
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.outage import Outage
from gateway.store.vault.sealing_keys import SealingKey, SealingKeysError, sealing_now

# In front of a sealed value of a generation. A value of generation 0 begins with a random nonce: one in 2**48
# begins so, too, and is therefore tried as either.
MARK: Final = b"UCseal"
HEADER: Final = len(MARK) + 2  # octets: MARK and the generation, big endian
LOOK_EVERY_S: Final = 1.0
_FIRST = MARK[:1]
_NONCE = 12
_BODY = HEADER + _NONCE
_BLOCK = 64


class SealBroken(Exception):
    """The sealed value was made for another purpose, by keys that are not ours, or was changed."""


class Keys(Protocol):
    """Where the sealing keys stand: gateway.store.vault.sealing_keys.KeyFile."""

    def look(self) -> Sequence[SealingKey]:
        """As they stand now. Raises SealingKeysError."""


def header_of(generation: int) -> bytes:
    """What values sealed under a generation begin with; generation 0 has none."""
    return MARK + generation.to_bytes(2, "big") if generation else b""


def generation_of(sealed: bytes) -> int:
    """Under which generation a value was sealed."""
    return int.from_bytes(sealed[len(MARK) : HEADER], "big") if sealed.startswith(MARK) else 0


_Key = tuple[AESGCM, bytes]  # of a purpose and generation, with the associated data


class Vault:
    """Derives keys, indexes, seals and opens.

    `opened` counts openings by purpose since it was last collected; the owner of the process writes it
    to the access log. New sealing keys are seen by themselves: a vault that seals looks once in LOOK_EVERY_S,
    and one that meets a generation which it does not know looks at once.
    """

    def __init__(self, master: bytes, keys: Keys | None = None) -> None:
        """`master`: the deployment's master secret, 32 bytes. `keys`: None: generation 0 alone."""
        self._master = master
        self._keys = keys
        self._index = _Hmac(self.derive("vault/index"))
        self._digest = _Hmac(self.derive("vault/digest"))
        self._secrets: dict[int, bytes] = {0: b""}
        self._first: dict[str, _Key] = {}  # of generation 0, by purpose
        self._openers: dict[tuple[str, bytes], _Key] = {}  # of later ones, by purpose and header
        # The generation that seals, and by purpose the header and key: exchanged together.
        self._sealing: tuple[int, dict[str, tuple[bytes, _Key]]] = 0, {}
        self._look_at = 0.0 if keys else float("inf")
        self._away = Outage("sealing keys not read; those known go on")
        self.opened: Counter[str] = Counter()

    def derive(self, label: str, length: int = 32) -> bytes:
        """A key of `length` bytes for one use, named by `label`."""
        return _derived(self._master, label, length)

    def index(self, number: str) -> str:
        """The shopper key of an E.164 number (digits, no plus): 22 characters, the same each time."""
        return _short(self._index.of(number.encode()))

    def digest(self, text: str) -> str:
        """A fingerprint of any text, 22 characters; without the master secret it cannot be tried out."""
        return _short(self._digest.of(text.encode("utf-8", "surrogatepass")))

    def seal(self, purpose: str, clear: bytes) -> bytes:
        """Seal `clear` for one purpose, under the generation of this moment."""
        if monotonic() >= self._look_at:
            self._follow()
        header, (aead, about) = self._sealing[1].get(purpose) or self._sealer(purpose)
        nonce = urandom(_NONCE)
        return header + nonce + aead.encrypt(nonce, clear, about)

    def open(self, purpose: str, sealed: bytes, counted_for: str = "") -> bytes:
        """Open what was sealed for this purpose; counted. Raises SealBroken.

        `counted_for`: what it is opened for where that says more than what it was sealed for.
        """
        self.opened[counted_for or purpose] += 1
        if sealed[:1] == _FIRST:  # of a generation; or of none, with a nonce that begins like it
            key = self._openers.get((purpose, sealed[:HEADER])) or self._opener(purpose, sealed)
            if key is not None:
                try:
                    return key[0].decrypt(sealed[HEADER:_BODY], sealed[_BODY:], key[1])
                except (InvalidTag, ValueError):
                    pass
        aead, about = self._first.get(purpose) or self._key(0, purpose)
        try:
            return aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
        except (InvalidTag, ValueError) as err:
            raise SealBroken(purpose) from err

    @property
    def generation(self) -> int:
        """The one that seals now."""
        if monotonic() >= self._look_at:
            self._follow()
        return self._sealing[0]

    def _opener(self, purpose: str, sealed: bytes) -> _Key | None:
        """The key of a later generation than 0; None where there is none, or it is not known."""
        generation = generation_of(sealed)
        if generation not in self._secrets:
            self._follow()
        return self._key(generation, purpose) if generation and generation in self._secrets else None

    def _sealer(self, purpose: str) -> tuple[bytes, _Key]:
        generation, sealers = self._sealing
        sealers[purpose] = made = header_of(generation), self._key(generation, purpose)
        return made

    def _key(self, generation: int, purpose: str) -> _Key:
        """A key a purpose: random nonces want no more than 2**32 seals a key (NIST SP 800-38D, 8.3)."""
        label = f"vault/seal/{purpose}/{generation}" if generation else f"vault/seal/{purpose}"
        aead = AESGCM(_derived(self._master + self._secrets[generation], label))
        made = aead, purpose.encode()
        if generation:
            self._openers[purpose, header_of(generation)] = made
        else:
            self._first[purpose] = made
        return made

    def _follow(self) -> None:
        """Take up the sealing keys as they stand; while they cannot be read, those known go on."""
        if self._keys is None:
            return
        self._look_at = monotonic() + LOOK_EVERY_S
        try:
            found = self._keys.look()
        except SealingKeysError as err:
            self._away.on(str(err))
            return
        self._away.over()
        known = {0: b""} | {key.generation: key.secret for key in found}
        if known != self._secrets:
            self._secrets, self._openers = known, {}
        generation = sealing_now(found)
        if generation != self._sealing[0]:
            self._sealing = generation, {}


def _derived(secret: bytes, label: str, length: int = 32) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=length, salt=b"undercap", info=label.encode())
    return hkdf.derive(secret)


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
