"""What processes have used, read from /proc: CPU seconds and peak memory (Linux only)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """CPU seconds since the process began, its finished children's included, and peak resident KiB."""

    cpu_s: float
    peak_kib: int


def usage(pid: int) -> Usage:
    """Raises OSError where the process is gone."""
    # proc(5): the name in parentheses may hold anything; utime is field 14, then stime, cutime, cstime.
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    cpu = sum(int(ticks) for ticks in fields[11:15]) / TICKS
    status = (PROC / str(pid) / "status").read_text()
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return Usage(cpu_s=cpu, peak_kib=int(peak))


def resident_kib(pid: int) -> int:
    """What a process holds in memory now. Raises OSError where it is gone."""
    status = (PROC / str(pid) / "status").read_text()
    return int(next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")), "0"))


def children(parent: int) -> dict[int, list[str]]:
    """The living children of a process: process id -> command line."""
    found = {}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, ppid = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode().split("\0")[:-1]
        except (OSError, ValueError):
            continue  # it ended while we looked
    return found


def snapshot(pids: Mapping[str, int]) -> dict[str, Usage]:
    """The usage of each named process that lives."""
    found = {}
    for name, pid in pids.items():
        try:
            found[name] = usage(pid)
        except OSError:
            continue
    return found


def cpu_between(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, float]:
    """CPU seconds that each process used between two snapshots."""
    return {
        name: after[name].cpu_s - before[name].cpu_s if name in before else after[name].cpu_s
        for name in after
    }
