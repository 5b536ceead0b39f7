"""`make bench-activation`: activations a second through the real processes, and what each costs.

An SMSC of the test's own pushes texts at the gateway under `undercap up`; beside it, in the same run,
the codec floor gets the same traffic. Prints a table; the last line is one JSON object.

    python -m tests.bench.activation [--n 20000] [--windows 1,10,100] [--repeat 3] [--floor-only]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.bench import machine, processes
from tests.bench.journal import Mo
from tests.bench.load_run import FreedBy, Traffic
from tests.bench.load_texts import CODES_A_SENDER, activations, read_series
from tests.bench.report import HEAD, Row, Shape, median_per_s, show, summary
from tests.bench.smsc_load import LoadSmsc
from tests.harness import ROOT, Gateway, link_table

SHORT_NUMBER: Final = "4040"
WARM_UP: Final = 300
QUIET_S: Final = 20.0  # nothing new for so long: what is missing is lost


def shapes(windows: Sequence[int], repeat: int) -> Iterator[Shape]:
    """The runs in order; those at the widest window are what is judged, so they are repeated."""
    for window in windows:
        times = repeat if window == max(windows) else 1
        for _ in range(times):
            yield Shape(window=window)
        yield Shape(window=window, freed_by=FreedBy.CONFIRMATION)
    for _ in range(repeat):
        yield Shape(window=max(windows), receipts=True)
    yield Shape(window=max(windows), freed_by=FreedBy.CONFIRMATION, receipts=True)


def traffic(shape: Shape, messages: Sequence[Mo]) -> Traffic:
    """These messages, pushed in this shape."""
    return Traffic(
        messages=messages,
        destination=SHORT_NUMBER.encode(),
        window=shape.window,
        freed_by=shape.freed_by,
        receipts=shape.receipts,
        rate=shape.rate,
    )


async def run_once(
    shape: Shape, messages: Sequence[Mo], smsc: LoadSmsc, pids: Mapping[str, int], who: str = "undercap"
) -> Row:
    """Push one run's messages, account for it and show the line."""
    before = processes.snapshot(pids)
    journal = await smsc.run(traffic(shape, messages), quiet_s=QUIET_S)
    after = processes.snapshot(pids)
    cpu = processes.cpu_between(before, after)
    row = Row(
        who=who,
        shape=shape,
        figures=journal.figures(),
        cpu_s_per_1000={name: used / len(messages) * 1000 for name, used in cpu.items()},
        replies=journal.shapes(),
    )
    show(row)
    return row


async def floor(n: int, windows: Sequence[int]) -> list[Row]:
    """The codec floor under the same traffic."""
    smsc = LoadSmsc()
    port = await smsc.start()
    argv = (sys.executable, "-m", "tests.bench.codec_floor", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT)
    messages = activations([f"{i:013d}" for i in range(n)])
    runs = [*(Shape(window=window) for window in windows), Shape(window=max(windows), receipts=True)]
    try:
        await smsc.wait_bound()
        return [await run_once(shape, messages, smsc, {"floor": process.pid}, who="floor") for shape in runs]
    finally:
        await smsc.stop()
        await process.wait()


class Supply:
    """Hands out fresh codes, and senders that have not written before."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = codes
        self._used = 0
        self._senders = 0

    def texts(self, n: int) -> list[Mo]:
        """The texts of a run."""
        part = self._codes[self._used : self._used + n]
        found = activations(part, first_sender=self._senders)
        self._used += n
        self._senders += math.ceil(n / CODES_A_SENDER)
        return found


async def gateway(
    n: int, windows: Sequence[int], repeat: int, state: Path
) -> tuple[list[Row], dict[str, int]]:
    """The gateway's runs, the half-load ones last; and the peak memory (KiB) by process."""
    smsc = LoadSmsc()
    port = await smsc.start()
    plan = list(shapes(windows, repeat))
    under_test = Gateway(state=state, links=[link_table(port)])
    with closing(under_test):
        under_test.write_config()
        under_test.start("up")
        await smsc.wait_bound(60)
        campaign = under_test.campaign(short_number=SHORT_NUMBER)
        supply = Supply(list(read_series(under_test.codes(campaign, WARM_UP + n * (len(plan) + 2)))))
        await under_test.restart("smpp")
        await smsc.run(traffic(Shape(window=10), supply.texts(WARM_UP)), quiet_s=QUIET_S)
        pids = under_test.pids()
        rows = [await run_once(shape, supply.texts(n), smsc, pids) for shape in plan]
        widest = max(windows)
        for receipts in (False, True):
            half = median_per_s(rows, "undercap", widest, receipts) / 2
            shape = Shape(window=widest, receipts=receipts, rate=half)
            rows.append(await run_once(shape, supply.texts(n), smsc, pids))
        peaks = {name: used.peak_kib for name, used in processes.snapshot(pids).items()}
        await under_test.stop()
    await smsc.stop()
    return rows, peaks


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, in order; returns the last line's object."""
    windows = [int(window) for window in arguments.windows.split(",")]
    arguments.dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.dir) as folder:
        disk = machine.fdatasync_times(Path(folder))
        print(f"{machine.machine()}\nfdatasync p50 {disk.p50_ms:.3f} ms, p99 {disk.p99_ms:.3f} ms")
        print(f"N = {arguments.n}, texts a third Cyrillic, {CODES_A_SENDER} codes a sender\n{HEAD}")
        rows = await floor(arguments.n, windows)
        peaks: dict[str, int] = {}
        if not arguments.floor_only:
            ours, peaks = await gateway(arguments.n, windows, arguments.repeat, Path(folder))
            rows += ours
            print("what the SMSC was sent (numbers as #):")
            total = sum((row.replies for row in ours), Counter[str]())
            for reply, count in total.most_common(12):
                print(f"  {count:7} {reply!r}")
    told = summary(rows, arguments.n, max(windows), peaks)
    return told | {"fdatasync_p50_ms": round(disk.p50_ms, 3), "fdatasync_p99_ms": round(disk.p99_ms, 3)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="activations a run")
    parser.add_argument("--windows", default="1,10,100")
    parser.add_argument("--repeat", type=int, default=3, help="runs at the widest window; the median counts")
    # Not the system's temporary directory: it may lie in memory, where fsync costs nothing.
    parser.add_argument("--dir", type=Path, default=ROOT / "build", help="where the state directory is made")
    parser.add_argument("--floor-only", action="store_true")
    arguments = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        told = asyncio.run(bench(arguments))
    else:
        told = uvloop.run(bench(arguments))
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
