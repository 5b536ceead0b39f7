"""`make bench-bulk`: submits a second out of the sending queue, with receipts on, and what each costs.

Each is marketing, so the gate is asked for it. The queue of a link is filled while its SMSC is away; then the
SMSC comes up, answers each submit at once and gives its receipt. Time runs from the first submit to the last,
as the SMSC saw them; CPU until every outcome and receipt stands in SQL. Beside it, by window, the codec
floor. Prints a table; the last line is one JSON object.

    python -m tests.bench.bulk [--n 10000] [--windows 1,10,100] [--floor-only]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench import machine, processes
from tests.bench.bulk_queue import fill
from tests.bench.bulk_smsc import BulkJournal, BulkSmsc
from tests.harness import LOOK_AGAIN_S, ROOT, Gateway, link_table
from tests.noon import to_noon_of_a_tuesday

SHORT_NUMBER: Final = "4040"
ROLES: Final = ("smpp", "worker", "valkey")
WARM_UP: Final = (
    300  # submits over a link of their own: a process that is just starting is not what is measured
)
HEAD: Final = (
    f"{'who':9} {'win':>4} {'most':>4} {'sub/s':>8} {'lost':>5} {'dbl':>4} {'receipts':>8} {'filed s':>8}  "
    "CPU s per 1,000"
)
QUIET_S: Final = 20.0  # nothing new for so long: what is missing is lost
FILED_S: Final = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One run. `filed_s`: from the first submit until the last receipt stood in SQL, 0 for the floor.

    `most_at_once`: submits that waited for their answers together, as the SMSC saw them.
    """

    who: str
    window: int
    per_s: float
    lost: int
    doubled: int
    receipts: int
    filed_s: float
    most_at_once: int
    cpu_s_per_1000: dict[str, float]


def row(who: str, window: int, n: int, journal: BulkJournal, filed_s: float, cpu: dict[str, float]) -> Row:
    """The figures of a run, shown at once."""
    made = Row(
        who=who,
        window=window,
        per_s=(journal.segments - 1) / journal.seconds if journal.seconds else 0.0,
        lost=n - len(journal.numbers),
        doubled=sum(count - 1 for count in journal.numbers.values()),
        receipts=journal.receipts,
        filed_s=round(filed_s, 2),
        most_at_once=journal.most_at_once,
        cpu_s_per_1000={name: round(used / n * 1000, 4) for name, used in cpu.items()},
    )
    shown = " ".join(f"{name} {used:.3f}" for name, used in sorted(made.cpu_s_per_1000.items()))
    print(
        f"{who:9} {window:4} {made.most_at_once:4} {made.per_s:8.0f} {made.lost:5} {made.doubled:4} "
        f"{made.receipts:8} {filed_s:8.1f}  {shown}",
        flush=True,
    )
    return made


async def finished(smsc: BulkSmsc, n: int) -> None:
    """Until every submit and receipt is there, or nothing new came for `QUIET_S`."""
    seen, since = (-1, -1), time.monotonic()
    while True:
        now = (smsc.journal.segments, smsc.journal.receipts)
        if min(now) >= n:
            return
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > QUIET_S:
            return
        await asyncio.sleep(LOOK_AGAIN_S)


async def floor(n: int, window: int) -> Row:
    """An ESME on smpplib under the same SMSC."""
    smsc = BulkSmsc()
    port = await smsc.start()
    argv = ("-m", "tests.bench.bulk_floor", "--port", str(port), "--n", str(n), "--window", str(window))
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, cwd=ROOT)
    pids = {"floor": process.pid}
    await smsc.wait_bound()
    before = processes.snapshot(pids)  # what it took to start is no cost of sending
    await finished(smsc, n)
    cpu = processes.cpu_between(before, processes.snapshot(pids))
    await smsc.stop()
    await process.wait()
    return row("floor", window, n, smsc.journal, 0.0, cpu)


async def gateway(n: int, windows: Sequence[int], state: Path) -> list[Row]:
    """The gateway's runs, each over a link of its own window."""
    ports = []
    names = ["warm-up", *(f"window-{window}" for window in windows)]
    sizes = [max(windows), *windows]
    for _ in names:
        away = BulkSmsc()
        ports.append(await away.start())
        await away.stop()
    links = [
        link_table(port, name=name, window=window)
        for port, name, window in zip(ports, names, sizes, strict=True)
    ]
    under_test = Gateway(state=state, links=links, clock_offset_s=to_noon_of_a_tuesday())
    with closing(under_test):
        under_test.write_config()
        under_test.start("up")
        await under_test.until(under_test.answers, "Redis does not answer")
        under_test.campaign(short_number=SHORT_NUMBER)
        await under_test.restart("smpp")
        rows, first = [], 0
        for name, window, port in zip(names, sizes, ports, strict=True):
            count = WARM_UP if name == "warm-up" else n
            rows.append(await run_once(under_test, count, window, port, name, first))
            first += count
        await under_test.stop()
    return rows[1:]


async def run_once(under_test: Gateway, n: int, window: int, port: int, link: str, first: int) -> Row:
    """Fill the queue, bring up the SMSC, wait until all is filed, show the line."""
    ((firm_id,),) = under_test.sql("SELECT id FROM firm")
    await asyncio.to_thread(
        fill, under_test, firm_id=firm_id, link=link, short_number=SHORT_NUMBER, first=first, n=n
    )
    pids = {role: pid for role, pid in under_test.pids().items() if role in ROLES}
    before = processes.snapshot(pids)
    smsc = BulkSmsc()
    await smsc.start(port)
    await finished(smsc, n)
    waits = "SELECT count(*) FROM message WHERE link = :link AND state <> 'delivered'"
    complaint = f"{link}: outcomes and receipts were not filed"
    await under_test.until(lambda: not under_test.sql(waits, link=link)[0][0], complaint, FILED_S)
    filed_s = time.monotonic() - smsc.journal.first_at
    cpu = processes.cpu_between(before, processes.snapshot(pids))
    await smsc.stop()
    return row("warm-up" if link == "warm-up" else "undercap", window, n, smsc.journal, filed_s, cpu)


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, in order; returns the last line's object."""
    windows = [int(window) for window in arguments.windows.split(",")]
    print(f"N = {arguments.n}, one segment each, receipts on")
    print(HEAD)
    rows = [await floor(arguments.n, window) for window in windows]
    with tempfile.TemporaryDirectory(prefix="bulk-", dir=arguments.dir) as folder:
        disk = machine.fdatasync_times(Path(folder))
        if not arguments.floor_only:
            rows += await gateway(arguments.n, windows, Path(folder))
    return {
        "bench": "bulk",
        "n": arguments.n,
        "runs": [asdict(found) for found in rows],
        "fdatasync_p50_ms": round(disk.p50_ms, 3),
        "machine": asdict(machine.machine()),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="submits a run")
    parser.add_argument("--windows", default="1,10,100")
    # Not the system's temporary directory: it may lie in memory, where fsync costs nothing.
    parser.add_argument("--dir", type=Path, default=ROOT / "build", help="where the state directory is made")
    parser.add_argument("--floor-only", action="store_true")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    try:
        import uvloop
    except ImportError:
        told = asyncio.run(bench(arguments))
    else:
        told = uvloop.run(bench(arguments))
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
