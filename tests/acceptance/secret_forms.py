"""Every form in which a number or a code could stand somewhere, and a fast search for all of them at once."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat

ANCHOR: Final = 4  # bytes at the end of a needle that are looked up first
DIGESTS: Final = ("md5", "sha1", "sha256")


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """A number (E.164 digits, without plus) or a normalised code; `name` is how a hit is told."""

    name: str
    text: str
    is_number: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A secret was found: which, in what form, where. The secret itself is not told."""

    secret: str
    form: str
    place: str


def forms(secret: Secret) -> Iterator[tuple[str, bytes]]:
    """Pairs of a form's name and the bytes to look for."""
    for spelling, text in _spellings(secret):
        yield spelling, text.encode()
        for encoding in ("utf-16-be", "utf-16-le"):
            yield f"{spelling}, {encoding}", text.encode(encoding)
            yield from _base64(f"{spelling}, {encoding}", text.encode(encoding))
        yield from _base64(spelling, text.encode())
        for name in DIGESTS:
            digest = hashlib.new(name, text.encode(), usedforsecurity=False).digest()
            yield f"{spelling}, {name}", digest
            yield f"{spelling}, {name} hex", digest.hex().encode()
            yield f"{spelling}, {name} HEX", digest.hex().upper().encode()
            yield f"{spelling}, {name} base64", base64.b64encode(digest).rstrip(b"=")
            yield f"{spelling}, {name} base64url", base64.urlsafe_b64encode(digest).rstrip(b"=")
    if secret.text.isdecimal():
        number = int(secret.text)
        width = max(6, (number.bit_length() + 7) // 8)  # SQLite and Valkey pack into 6 or 8 bytes
        yield "packed integer, big endian", number.to_bytes(width, "big")
        yield "packed integer, little endian", number.to_bytes(width, "little")


def _spellings(secret: Secret) -> Iterator[tuple[str, str]]:
    if not secret.is_number:
        yield "text", secret.text
        if not secret.text.islower() and not secret.text.isdecimal():
            yield "text, lower case", secret.text.lower()
        return
    yield "text without +", secret.text
    yield "text with +", f"+{secret.text}"
    parsed = phonenumbers.parse(f"+{secret.text}")
    yield "national form", re.sub(r"\D", "", phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))
    yield "national form without trunk prefix", phonenumbers.national_significant_number(parsed)


def _base64(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The characters that stay the same wherever in the encoded bytes the data begins."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        skip = (0, 2, 3)[shift]  # characters that hold bits of what stands before
        whole = (shift + len(data)) * 8 // 6  # characters without bits of what follows
        found = encoded[skip:whole]
        yield f"{name}, base64 at {shift}", found
        url = found.translate(bytes.maketrans(b"+/", b"-_"))
        if url != found:
            yield f"{name}, base64url at {shift}", url


class Search:
    """Looks for many secrets in one pass: only a needle whose last bytes occur at all is looked for."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._needles: dict[int, list[tuple[bytes, str, str]]] = defaultdict(list)
        for secret in secrets:
            for form, needle in forms(secret):
                self._needles[_word(needle[-ANCHOR:])].append((needle, secret.name, form))
        self._anchors = set(self._needles)

    def find(self, place: str, data: bytes) -> list[Hit]:
        """All secrets in `data`."""
        found: set[int] = set()
        for shift in range(ANCHOR):
            usable = (len(data) - shift) // ANCHOR * ANCHOR
            if usable > 0:
                found |= self._anchors.intersection(memoryview(data)[shift : shift + usable].cast("I"))
        return [
            Hit(secret=name, form=form, place=place)
            for anchor in found
            for needle, name, form in self._needles[anchor]
            if needle in data
        ]

    def find_all(self, places: Iterable[tuple[str, bytes]]) -> list[Hit]:
        """All secrets in all places."""
        return [hit for place, data in places for hit in self.find(place, data)]


def _word(four: bytes) -> int:
    return memoryview(four).cast("I")[0]


def tell(hits: Iterable[Hit]) -> str:
    """Hits as lines, the same secret and form once, for a failure's message."""
    grouped: Mapping[tuple[str, str], list[str]] = defaultdict(list)
    for hit in hits:
        grouped[hit.secret, hit.form].append(hit.place)
    return "\n".join(
        f"{secret} as {form}: {', '.join(sorted(set(places))[:5])}"
        for (secret, form), places in sorted(grouped.items())
    )
