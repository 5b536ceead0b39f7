"""The two alphabets that codes are printed in, and what shoppers type in their place.

`digits` is for telephones with keys. `letters` has no two symbols that a tired eye takes for one another: of
0/O/Q, 1/I/L, 5/S and 8/B none is printed, of 2/Z and 6/G only the digit. Digits stand first, so that the
symbol of value zero, which pads and fills, is a digit in both.

Everything here is a table of single characters. `clean` deletes what cannot be seen and gives each foreign
form of a digit, space or dash its plain form; after it, a fold maps one typed character to one symbol, so
that positions in a cleaned text are the same in each alphabet.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabet:
    """The symbols of a code in the order of their values, 0 first."""

    name: str
    symbols: str

    @property
    def radix(self) -> int:
        """How many symbols there are."""
        return len(self.symbols)


DIGITS: Final = Alphabet(name="digits", symbols="0123456789")
LETTERS: Final = Alphabet(name="letters", symbols="234679ACDEFHJKMNPRTUVWXY")
ALPHABETS: Final[Mapping[str, Alphabet]] = MappingProxyType({a.name: a for a in (DIGITS, LETTERS)})

# Letters of other scripts that look like a Latin capital: Cyrillic (Ukrainian and Kazakh ones too), Greek.
# В, О, І, Ѕ look like letters that are not printed; they are listed for the keywords, which fold with this.
TWINS: Final[Mapping[str, str]] = MappingProxyType(
    dict(zip("АВСЕЁНҺІӀЈКМОРЅТҮҰУХԜ", "ABCEEHHIIJKMOPSTYYYXW", strict=True))
    | dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
)

# Typed for a digit by shape. Small i is missing on purpose: in Ukrainian it is a word ("and") beside codes.
_DIGIT_SHAPES: Final = {"O": "0", "o": "0", "О": "0", "о": "0", "Ο": "0", "ο": "0"} | {
    "l": "1", "I": "1", "І": "1", "Ӏ": "1", "|": "1", "З": "3", "з": "3",
}  # fmt: skip


def _letter_shapes() -> dict[str, str]:
    """Everything that is read as a symbol of `letters`."""
    shapes = {"Z": "2", "З": "3"} | {s: s for s in LETTERS.symbols}
    shapes |= {twin: latin for twin, latin in TWINS.items() if latin in LETTERS.symbols or latin == "Z"}
    shapes = {typed: shapes.get(symbol, symbol) for typed, symbol in shapes.items()}
    return shapes | {typed.lower(): symbol for typed, symbol in shapes.items()}


# What may be typed for each symbol, in a cleaned text: typed character -> symbol.
FOLDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "digits": MappingProxyType({d: d for d in DIGITS.symbols} | _DIGIT_SHAPES),
        "letters": MappingProxyType(_letter_shapes()),
    }
)
_FOLD_TABLES: Final = {name: str.maketrans(dict(fold)) for name, fold in FOLDS.items()}


def _clean_table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for point in range(0x80, 0x20000):
        char = chr(point)
        if char.isdecimal():  # Arabic-Indic, Devanagari, fullwidth, mathematical bold ...
            table[point] = str(unicodedata.decimal(char))
    for first, last in ((0xFF01, 0xFF5E), (0x1D400, 0x1D7CB), (0x24B6, 0x24E9)):  # fullwidth, styled, circled
        for point in range(first, last + 1):
            plain = unicodedata.normalize("NFKC", chr(point))
            if point not in table and len(plain) == 1:
                table[point] = plain
    table |= dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000\t\v\f"), " ")
    table |= dict.fromkeys(range(0x2000, 0x200B), " ")
    table |= dict.fromkeys(map(ord, "\r\x85\u2028\u2029"), "\n")
    table |= dict.fromkeys(map(ord, "‐‑‒–—―⁃−﹘﹣－"), "-")
    unseen = ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xE0001, 0xE01EF))
    for first, last in unseen:
        table |= dict.fromkeys(range(first, last + 1))
    # Soft hyphen, joiners, marks, and the frame of keycap emoji.
    table |= dict.fromkeys(map(ord, "\u00ad\u034f\u061c\u180e\u20e3\ufeff"))
    return table


_CLEAN: Final = _clean_table()


def clean(text: str) -> str:
    """`text` without invisible characters; foreign digits, wide letters, spaces and dashes in plain form.

    Case and script stay. Total: any str is accepted, lone surrogates too.
    """
    return text if text.isascii() else text.translate(_CLEAN)


def fold(typed: str, alphabet: str) -> str:
    """A cleaned run of characters in the symbols of the alphabet; what has no symbol stays as it is."""
    return typed.translate(_FOLD_TABLES[alphabet])


def normalise(typed: str, alphabet: str) -> str | None:
    """The symbols of one code as somebody typed it, separators and all; None if a character is none of them.

    For a field that holds a code and nothing else (a web form, a command line); texts go through `reading`.

    >>> normalise("7к3асd-efн24", "letters")
    '7K3ACDEFH24'
    """
    symbols = "".join(c for c in fold(clean(typed), alphabet) if c.isalnum())
    return symbols if symbols and all(s in ALPHABETS[alphabet].symbols for s in symbols) else None


def groups(length: int) -> tuple[int, ...]:
    """Sizes of the groups in which a code of `length` symbols is printed: 3 to 5 each, the longer ones last.

    >>> groups(13), groups(10), groups(8)
    ((4, 4, 5), (5, 5), (4, 4))
    """
    count = max(1, (length + 1) // 4)
    size, longer = divmod(length, count)
    return tuple(size + (i >= count - longer) for i in range(count))


def printed(symbols: str) -> str:
    """A code as it stands under the cap: its groups with '-' between them.

    >>> printed("4821334512345")
    '4821-3345-12345'
    """
    out, at = [], 0
    for size in groups(len(symbols)):
        out.append(symbols[at : at + size])
        at += size
    return "-".join(out)
