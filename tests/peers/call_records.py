"""Asterisk's own records of calls (CDR): when each of its channels began and ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

_FILE: Final = "calls.csv"
_MODULES: Final = ("func_cdr.so", "res_cdrel_custom.so", "cdr_custom.so")  # the second one since 22.8


class CallRecord(NamedTuple):
    """Seconds since 1970."""

    began: float
    ended: float


def configure(etc: Path, modules: Path) -> None:
    """Let the Asterisk of this folder of settings keep them, those of unanswered calls, too."""
    there = [name for name in _MODULES if (modules / name).exists()]
    with (etc / "modules.conf").open("a", encoding="utf-8") as wanted:
        wanted.write("".join(f"load = {name}\n" for name in there))
    (etc.parent / "log" / "cdr-custom").mkdir(parents=True)
    (etc / "cdr.conf").write_text("[general]\nenable = yes\nunanswered = yes\ncongestion = yes\n")
    # Without a function that it does not know, 22 turns the fields into its form of whole seconds.
    told = ",".join(f"${{FILTER(0-9.,${{CDR({field},u)}})}}" for field in ("start", "end"))
    (etc / "cdr_custom.conf").write_text(f"[mappings]\n{_FILE} => {told}\n")


def read(folder: Path) -> list[CallRecord]:
    """What the Asterisk of this folder has written so far, in the order of the ends."""
    file = folder / "log" / "cdr-custom" / _FILE
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return [CallRecord(*(float(field) for field in line.split(","))) for line in lines]


def most_at_once(records: Sequence[CallRecord]) -> int:
    """How many calls there were at once at the most."""
    changes = sorted([(r.ended, -1) for r in records] + [(r.began, 1) for r in records])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def most_begun(records: Sequence[CallRecord], window_s: float) -> int:
    """How many calls began within any `window_s` seconds at the most."""
    began = sorted(r.began for r in records)
    return max(sum(at <= other < at + window_s for other in began) for at in began)
