"""What `undercap doctor` finds, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich import box
from rich.console import Console
from rich.table import Table


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARN = "warn"  # works, but somebody should know
    FAIL = "fail"  # does not work, or would lose something


STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """The result of one check."""

    name: str
    level: Level
    told: str
    mend: str = ""  # what to do; empty where nothing is to be done


def good(name: str, told: str) -> Finding:
    """All is well."""
    return Finding(name=name, level=Level.OK, told=told)


def warn(name: str, told: str, mend: str = "") -> Finding:
    """Works, but somebody should know."""
    return Finding(name=name, level=Level.WARN, told=told, mend=mend)


def fail(name: str, told: str, mend: str = "") -> Finding:
    """Has to be mended."""
    return Finding(name=name, level=Level.FAIL, told=told, mend=mend)


def show(findings: Sequence[Finding], console: Console) -> None:
    """A table, and a line with the verdict."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "check", "found", "to mend it"):
        table.add_column(column, overflow="fold")
    for found in findings:
        style = STYLES[found.level]
        table.add_row(f"[{style}]{found.level}[/]", found.name, _plain(found.told), _plain(found.mend))
    console.print(table)
    faults = sum(found.level is Level.FAIL for found in findings)
    console.print(f"{faults} to mend." if faults else "Nothing to mend.", style="bold")


def _plain(text: str) -> str:
    """Square brackets in paths and messages are no markup."""
    return text.replace("[", "\\[")
