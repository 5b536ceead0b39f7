"""The corpus of inbound texts with placeholders filled in, for tests of the parser and of the whole path.

Deterministic: what is random in a transformation is seeded by the line and the placeholder.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.codes.alphabet import ALPHABETS, printed

CORPUS = Path(__file__).parent / "data" / "mo-texts.tsv"

_PLACEHOLDER = re.compile(r"\{([^{}|]+)(?:\|([^{}]+))?\}")

# Letters with a look-alike in Cyrillic, as the letters series prints them or might.
_CYRILLIC = dict(zip("ABCEHIKMOPTXY", "АВСЕНІКМОРТХУ", strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `series`: digits or letters; `outcome`: as written, such as "activated:2"."""

    id: str
    series: str
    template: str
    outcome: str

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the codes that the line needs, each once, in order."""
        names = (name for name, _ in _PLACEHOLDER.findall(self.template) if name != "nl")
        return tuple(dict.fromkeys(names))

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How often each outcome is expected."""
        parts = (part.partition(":") for part in self.outcome.split(","))
        return {name: int(count or 1) for name, _, count in parts}

    def text(self, codes: Mapping[str, str]) -> str:
        """The text with codes filled in. `codes`: placeholder name -> code as printed, with '-'."""

        def filled(match: re.Match[str]) -> str:
            name, way = match[1], match[2]
            if name == "nl":
                return "\n"
            symbols = self._misspelt(name, way, codes)
            if way in _MISTAKES or way is None:
                return printed_like(codes[name], symbols)
            return _WAYS[way](codes[name], self._random(name, way))

        return _PLACEHOLDER.sub(filled, self.template)

    def symbols(self, codes: Mapping[str, str]) -> tuple[str, ...]:
        """What a perfect reader takes for codes: normalised symbols, each once, mistakes included."""
        found = (
            self._misspelt(name, way, codes)
            for name, way in _PLACEHOLDER.findall(self.template)
            if name != "nl"
        )
        return tuple(dict.fromkeys(found))

    def _misspelt(self, name: str, way: str | None, codes: Mapping[str, str]) -> str:
        symbols = codes[name].replace("-", "")
        mistake = _MISTAKES.get(way or "")
        return (
            mistake(symbols, ALPHABETS[self.series].symbols, self._random(name, way)) if mistake else symbols
        )

    def _random(self, name: str, way: str | None) -> random.Random:
        return random.Random(f"{self.id} {name} {way}")  # noqa: S311 - repeatable by design


def load_corpus(path: Path = CORPUS) -> list[Line]:
    """All lines of the file, in order."""
    lines = []
    for raw in path.read_text(encoding="utf-8").split("\n"):
        if raw and not raw.startswith("#"):
            name, series, template, outcome = raw.split("\t")
            lines.append(Line(id=name, series=series, template=template, outcome=outcome))
    return lines


def printed_like(code: str, symbols: str) -> str:
    """Symbols in the groups of a printed code; a symbol too few or too many tells at the end."""
    if len(symbols) == len(code.replace("-", "")):
        return printed(symbols)
    out, at = [], 0
    sizes = [len(group) for group in code.split("-")]
    for size in sizes[:-1]:
        out.append(symbols[at : at + size])
        at += size
    return "-".join([*out, symbols[at:]])


def _typo(symbols: str, alphabet: str, chance: random.Random) -> str:
    at = chance.randrange(len(symbols))
    other = chance.choice([s for s in alphabet if s != symbols[at]])
    return symbols[:at] + other + symbols[at + 1 :]


def _swap(symbols: str, alphabet: str, chance: random.Random) -> str:
    del alphabet
    places = [at for at in range(len(symbols) - 1) if symbols[at] != symbols[at + 1]]
    at = chance.choice(places)
    return symbols[:at] + symbols[at + 1] + symbols[at] + symbols[at + 2 :]


def _drop_last(symbols: str, alphabet: str, chance: random.Random) -> str:
    del alphabet, chance
    return symbols[:-1]


def _extra(symbols: str, alphabet: str, chance: random.Random) -> str:
    return symbols + chance.choice(alphabet)


_MISTAKES: Mapping[str, Callable[[str, str, random.Random], str]] = {
    "typo": _typo,
    "swap": _swap,
    "drop-last": _drop_last,
    "extra": _extra,
}


def _separated_by(separator: str) -> Callable[[str, random.Random], str]:
    def way(code: str, chance: random.Random) -> str:
        del chance
        return code.replace("-", separator)

    return way


def _each(table: Mapping[str, str]) -> Callable[[str, random.Random], str]:
    def way(code: str, chance: random.Random) -> str:
        del chance
        return "".join(table.get(char, char) for char in code)

    return way


def _zero_width(code: str, chance: random.Random) -> str:
    return "".join(char + chance.choice(["", "\u200b", "\ufeff"]) for char in code) + "\u200b"


def _mixed_script(code: str, chance: random.Random) -> str:
    del chance
    out, twins = [], 0
    for char in code:
        twins += char in _CYRILLIC
        out.append(_CYRILLIC[char] if char in _CYRILLIC and twins % 2 else char)
    return "".join(out)


_WIDE = {chr(c): chr(c + 0xFEE0) for c in [*range(0x30, 0x3A), *range(0x41, 0x5B)]}

_WAYS: Mapping[str, Callable[[str, random.Random], str]] = {
    "plain": _separated_by(""),
    "spaced": _separated_by(" "),
    "dots": _separated_by("."),
    "endash": _separated_by("\u2013"),
    "nbsp": _separated_by("\u00a0"),
    "lines": _separated_by("\n"),
    "everychar": lambda code, _: " ".join(code),
    "zerowidth": _zero_width,
    "fullwidth": _each(_WIDE),
    "arabic": _each({str(d): chr(0x660 + d) for d in range(10)}),
    "lower": lambda code, _: code.lower(),
    "cyr": _each(_CYRILLIC),
    "cyrlower": lambda code, _: _each(_CYRILLIC)(code, _).lower(),
    "mixed-script": _mixed_script,
    "O-for-0": _each({"0": "O"}),
    "cyrO-for-0": _each({"0": "О"}),
    "l-for-1": _each({"1": "l"}),
    "Ze-for-3": _each({"3": "З"}),
}
