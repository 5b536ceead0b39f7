"""`make bench-calls`: calls per CPU second of our talk, beside a bare FastAGI server (the floor).

Asterisk is played by a bare peer, for which prompts take no time; in each call the caller hears his alias and
the menu, asks the balance, and hangs up. Prints a table; the last line is one JSON object.

    python -m tests.bench.calls [--n 3000] [--at-once 50]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from tests.bench import machine
from tests.bench.processes import usage
from tests.harness import ROOT
from tests.integration.ivr.agi_peer import HANG_UP, AgiPeer

KEYS: Final = ("1", "4", "0", HANG_UP)
WARM: Final = 200  # calls before those that count


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One server. `commands`: of a call."""

    server: str
    calls: int
    commands: int
    calls_per_s: float
    cpu_ms_per_call: float
    calls_per_cpu_s: float


async def measure(kind: str, n: int, at_once: int, commands: int = 0) -> Row:
    """`kind`: talk or floor; `commands`: what the floor is to send."""
    with _serving(kind, commands) as (port, pid):
        await _push(port, min(WARM, n), at_once)
        before, begun = usage(pid).cpu_s, time.monotonic()
        sent = await _push(port, n, at_once)
        took_s, cpu_s = time.monotonic() - begun, usage(pid).cpu_s - before
    return Row(
        server=kind,
        calls=n,
        commands=round(sent / n),
        calls_per_s=round(n / took_s),
        cpu_ms_per_call=round(cpu_s / n * 1000, 3),
        calls_per_cpu_s=round(n / cpu_s) if cpu_s else 0,
    )


async def _push(port: int, n: int, at_once: int) -> int:
    """Make so many calls; returns how many commands came in all."""
    waiting = iter(range(n))
    commands = 0

    async def callers() -> None:
        nonlocal commands
        for _ in waiting:
            peer = AgiPeer(keys=list(KEYS))
            await peer.call(port)
            commands += len(peer.commands)

    await asyncio.gather(*(callers() for _ in range(at_once)))
    return commands


@contextlib.contextmanager
def _serving(kind: str, commands: int) -> Iterator[tuple[int, int]]:
    """The port and the process id of a server."""
    argv = [sys.executable, "-m", "tests.bench.calls_server", kind, str(commands)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


async def bench(n: int, at_once: int) -> list[Row]:
    """Our talk first: the floor sends as many commands as it did."""
    talk = await measure("talk", n, at_once)
    return [talk, await measure("floor", n, at_once, talk.commands)]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=3000, help="calls to each server")
    parser.add_argument("--at-once", type=int, default=50)
    arguments = parser.parse_args()
    rows = asyncio.run(bench(arguments.n, arguments.at_once))
    print(
        f"{'server':8} {'calls':>6} {'commands':>9} {'calls/s':>8} {'CPU ms a call':>14} {'calls/CPU s':>12}"
    )
    for row in rows:
        cells = f"{row.server:8} {row.calls:6} {row.commands:9} {row.calls_per_s:8.0f}"
        print(f"{cells} {row.cpu_ms_per_call:14.3f} {row.calls_per_cpu_s:12.0f}")
    told = {"bench": "calls", "rows": [asdict(row) for row in rows], "machine": asdict(machine.machine())}
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
