"""Code spaces: a code is a keyed permutation of its serial number, so a billion codes need no table.

FF1 (NIST SP 800-38G) permutes the strings of one alphabet and length. In `letters` a code has at least one
digit; there the permutation is walked on (cycle-walking) until the result has one, which keeps it a
permutation of the strings that have. The zero symbol of `letters` is a digit, so a serial's own string,
padded with it, always has one.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastfpe import ff1

from gateway.domain.codes.alphabet import ALPHABETS

MIN_LENGTH = {
    "digits": 13,
    "letters": 8,
}  # 13 digits are never a phone number (E.164: 15 at most, real ones 12)
MAX_LENGTH = 24
_TWEAK = ""


class SpaceTooSmall(Exception):
    """No length that may be printed keeps the odds of a guess for so many codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpace:
    """An alphabet, a length and a key. `key`: 32 bytes as hex."""

    id: int
    alphabet: str
    length: int
    key: str

    @property
    def size(self) -> int:
        """How many strings could be a code."""
        return space_size(self.alphabet, self.length)

    def encode(self, serial: int) -> str:
        """The code of a serial (0 … capacity), normalised symbols without separators."""
        symbols = ALPHABETS[self.alphabet].symbols
        code = _digits(serial, symbols, self.length)
        while True:
            code = ff1.encrypt(self.key, _TWEAK, symbols, code)
            if self.alphabet == "digits" or has_digit(code):
                return code

    def decode(self, code: str) -> int | None:
        """The serial of a normalised code of this length; None for a string that no serial becomes."""
        symbols = ALPHABETS[self.alphabet].symbols
        if self.alphabet != "digits" and not has_digit(code):
            return None
        while True:
            code = ff1.decrypt(self.key, _TWEAK, symbols, code)
            if self.alphabet == "digits":
                return int(code)
            if has_digit(code):
                return _number(code, symbols)


def has_digit(code: str) -> bool:
    """Whether any symbol is a digit."""
    return not code.isalpha()


def space_size(alphabet: str, length: int) -> int:
    """How many strings of this form could be a code.

    >>> space_size("digits", 13)
    10000000000000
    """
    symbols = ALPHABETS[alphabet].symbols
    every: int = len(symbols) ** length
    if alphabet == "digits":
        return every
    without: int = sum(1 for c in symbols if c.isalpha()) ** length
    return every - without


def capacity(alphabet: str, length: int, odds: int) -> int:
    """How many live codes a space may hold so that a guess hits with at most one in `odds`."""
    return space_size(alphabet, length) // odds


def shortest_length(alphabet: str, count: int, odds: int) -> int:
    """The least length whose space holds `count` live codes at these odds. Raises SpaceTooSmall."""
    for length in range(MIN_LENGTH[alphabet], MAX_LENGTH + 1):
        if capacity(alphabet, length, odds) >= count:
            return length
    raise SpaceTooSmall(f"{count:,} codes at one in {odds:,} need more than {MAX_LENGTH} {alphabet}")


def _digits(number: int, symbols: str, length: int) -> str:
    if len(symbols) == 10:
        return str(number).zfill(length)
    out = []
    for _ in range(length):
        number, rest = divmod(number, len(symbols))
        out.append(symbols[rest])
    return "".join(reversed(out))


def _number(code: str, symbols: str) -> int:
    number = 0
    for symbol in code:
        number = number * len(symbols) + symbols.index(symbol)
    return number
