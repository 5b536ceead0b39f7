"""What `undercap doctor` finds, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.entry.commands import tables
from gateway.entry.commands.tables import Column, Listing


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


def show(findings: Sequence[Finding], *, as_json: bool) -> None:
    """A table, and a line with the verdict."""
    level = Column("", "level", style=lambda row: STYLES[row["level"]])
    listing = Listing("findings", level, "check", "found", Column("to mend it", "mend"))
    for one in findings:
        listing.add(level=one.level, check=one.name, found=one.told, mend=one.mend)
    faults = sum(one.level is Level.FAIL for one in findings)
    tables.show(listing, as_json=as_json, to_mend=faults)
    if not as_json:
        tables.console().print(f"{faults} to mend." if faults else "Nothing to mend.", style="bold")
