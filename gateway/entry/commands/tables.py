"""How every command prints a table: for people within the width of their terminal, or as JSON for programs.

In JSON the keys are snake_case and stay, times are ISO 8601 with their zone, and nothing is rounded or left
out because it is wide. In a table no date and no id is ever cut: cells are wrapped between words, and where
even the longest words do not fit beside each other, each row is told as lines of its own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

JSON: Final = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
_LONGEST_WORD: Final = 40  # longer ones, which are neither ids nor dates, may be folded, as paths may
_FOLDED: Final = 16
_UNBROKEN: Final = 1_000  # columns of an output that is no terminal: one line a row
_GAP: Final = 2  # columns between two cells
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """`key`: of the fact that is shown; usually the title with underscores. `told`: the words, of all facts.

    `style`: Rich's, of all facts.
    """

    title: str
    key: str = ""
    told: Callable[[Facts], str] | None = None
    style: Callable[[Facts], str] | None = None

    def cell(self, facts: Facts) -> str:
        """What a table shows."""
        if self.told is not None:
            return self.told(facts)
        return shown_value(facts[self.key or self.title.replace(" ", "_")])


def moment(title: str, key: str) -> Column:
    """A column of times, which may be ISO 8601 in UTC already."""

    def told(facts: Facts) -> str:
        at = facts[key]
        return shown_value(datetime.fromisoformat(at) if isinstance(at, str) else at)

    return Column(title, key, told)


def count(title: str, key: str = "") -> Column:
    """A column of counts, which are told with commas."""
    name = key or title.replace(" ", "_")
    return Column(title, name, lambda facts: f"{facts[name]:,}")


class Listing:
    """Things of one kind. `name`: of the list in JSON; facts that no column shows stand there alone."""

    def __init__(self, name: str, *columns: Column | str) -> None:
        self.name = name
        self.rows: list[Facts] = []
        self._columns = [Column(column) if isinstance(column, str) else column for column in columns]

    def add(self, **facts: Any) -> None:
        """One more; every row has the same facts. A time is an aware datetime."""
        self.rows.append(facts)

    def print(self, console: Console) -> None:
        """For people."""
        titles = [column.title for column in self._columns]
        cells = [[column.cell(row) for column in self._columns] for row in self.rows]
        widths = _widths([titles, *cells], console.width)
        if widths is None:
            _print_apart(console, titles, cells)
            return
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for title, width in zip(titles, widths, strict=True):
            table.add_column(Text(title), width=width, overflow="fold")
        table.add_row(*("─" * width for width in widths))
        for row, facts in zip(cells, self.rows, strict=True):
            styles = [column.style(facts) if column.style else "" for column in self._columns]
            table.add_row(*(Text(cell, style) for cell, style in zip(row, styles, strict=True)))
        console.print(table)


def show(*listings: Listing, as_json: bool, **facts: Any) -> None:
    """Print them. `facts`: what JSON has besides; whoever shows a table tells it in words."""
    if as_json:
        show_json({**facts, **{listing.name: listing.rows for listing in listings}})
        return
    for listing in listings:
        listing.print(console())


def show_facts(title: str, told: Facts, *, as_json: bool, exact: Facts | None = None) -> None:
    """Print one thing as words and values. `exact`: what JSON has, where that is more."""
    if as_json:
        show_json(told if exact is None else exact)
        return
    console().print(two_columns(title, told))


def two_columns(title: str, told: Facts) -> Table:
    """Words and values; nothing is left out where it is empty."""
    table = Table(
        box=None,
        padding=(0, _GAP, 0, 0),
        pad_edge=False,
        show_header=False,
        title=title or None,
        title_justify="left",
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for word, value in told.items():
        table.add_row(Text(word), Text(shown_value(value)))
    return table


def show_json(told: Any) -> None:
    """Print it; a time within bears its zone."""
    click.echo(json.dumps(told, ensure_ascii=False, indent=2, default=_exact))


def shown_value(value: Any) -> str:
    """A value in a table: a mapping as `word count`, nothing as a hyphen."""
    if isinstance(value, Mapping):
        return ", ".join(f"{word} {n}" for word, n in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return "\n".join(shown_value(one) for one in value) or "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None or value == "" else str(value)


def console() -> Console:
    """The standard output: as wide as its terminal, or as COLUMNS says; a pipe breaks no line."""
    wide = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _UNBROKEN
    return Console(width=wide)


def _exact(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    raise TypeError(f"{type(value).__name__} stands in no JSON")


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column may be so that all fit into `room` and no word is broken; None if they cannot."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    least = [max((_least(word) for cell in column for word in cell.split()), default=1) for column in columns]
    room -= _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    while (over := sum(widths) - room) > 0:
        widest = max(range(len(columns)), key=lambda at: (widths[at] > least[at], widths[at]))
        widths[widest] = max(least[widest], widths[widest] - max(1, over // len(columns)))
    return widths


def _least(word: str) -> int:
    return min(len(word), _FOLDED) if len(word) > _LONGEST_WORD or "/" in word else len(word)


def _print_apart(out: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Each row as lines of its own."""
    longest = max(map(len, titles))
    for row in rows:
        out.print()
        for title, cell in zip(titles, row, strict=True):
            out.print(Text(f"{title:<{longest}}  {cell}"), overflow="fold", soft_wrap=True)
