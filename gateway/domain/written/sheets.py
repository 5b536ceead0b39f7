"""Tables as spreadsheets save them: the bytes of a CSV file as lines, and lines as cells. Pure.

Encodings: UTF-8 with a mark or without, UTF-16, windows-1251. Separators: semicolon, comma, tab, bar, also as
a first line `sep=;` says. Cells as RFC 4180 quotes them, line breaks inside included. A quote that nobody
closed costs its own line and hides none of those behind it.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SEPARATORS: Final = (";", ",", "\t", "|")
UNREADABLE: Final = "\ufffd"  # stands for bytes that the encoding does not have
MOST_LINES_A_CELL: Final = 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_SAID: Final = re.compile(r"\s*\"?sep=([;,\t|])\"?[;,\t|\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file's lines. `first`: the index of the first that has content; `said`: the separator it names."""

    encoding: str
    lines: Sequence[str]
    first: int
    said: str | None

    def separators(self) -> tuple[str, ...]:
        """What may stand between its cells, the likeliest first."""
        return (self.said, *SEPARATORS) if self.said else SEPARATORS


def opened(raw: bytes) -> Sheet:
    """The lines of a file, whatever its encoding; bytes that have no meaning in it are UNREADABLE."""
    encoding = _encoding(raw)
    lines = _LINE_END.split(raw.decode(encoding, errors="replace"))
    said = _SAID.fullmatch(lines[0])
    first = 1 if said and len(lines) > 1 else 0
    while first < len(lines) - 1 and not lines[first].strip():
        first += 1
    return Sheet(encoding=encoding, lines=lines, first=first, said=said[1] if said else None)


def cells(line: str, separator: str) -> list[str] | None:
    """The cells of one record; None where a quote is open at its end, or stands where none may."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def records(
    sheet: Sheet, begin: int, separator: str, stands_alone: Callable[[Sequence[str]], bool]
) -> Iterator[tuple[int, list[str] | None]]:
    """Each record from the line of index `begin` on: its line, counted from 1, and its cells.

    `stands_alone`: whether cells are a record of their own, so that no cell of an earlier one goes on there.
    """
    at = begin
    while at < len(sheet.lines):
        found, used = _record(sheet.lines, at, separator, stands_alone)
        yield at + 1, found
        at += used


def _record(
    lines: Sequence[str], at: int, separator: str, stands_alone: Callable[[Sequence[str]], bool]
) -> tuple[list[str] | None, int]:
    used = 0

    def pulled() -> Iterator[str]:
        """The reader asks for a further line where a cell goes on."""
        nonlocal used
        for line in lines[at : at + MOST_LINES_A_CELL]:
            if used and stands_alone(_loosely(line, separator)):
                return
            used += 1
            yield line + "\n"

    try:
        return next(csv.reader(pulled(), delimiter=separator, strict=True), []), used
    except csv.Error:
        return None, 1


def _loosely(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _encoding(raw: bytes) -> str:
    """By its mark, else by what its bytes can be: Cyrillic of windows-1251 is hardly ever UTF-8."""
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    if marked is not None:
        return marked
    if 0 in raw[:2]:
        return "utf-16-be" if raw[0] == 0 else "utf-16-le"
    foreign = [line for line in raw.split(b"\n") if not line.isascii()]
    in_utf8 = sum(map(_is_utf8, foreign))
    # One broken line does not make another encoding of the others.
    return "utf-8" if in_utf8 * 2 > len(foreign) or not foreign else "windows-1251"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
