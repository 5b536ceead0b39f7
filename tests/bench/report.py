"""The table and the last line of the activation benchmark."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from tests.bench import machine
from tests.bench.journal import Figures
from tests.bench.load_run import FreedBy

APART: Final = "valkey"  # its CPU is told apart from our Python processes'


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One line of the table: how the traffic is pushed."""

    window: int
    freed_by: FreedBy = FreedBy.RESPONSE
    receipts: bool = False
    rate: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A run's figures; `cpu_s_per_1000` by process, `replies` are the texts that came with # for numbers."""

    who: str
    shape: Shape
    figures: Figures
    cpu_s_per_1000: Mapping[str, float]
    replies: Counter[str]

    @property
    def python_cpu(self) -> float:
        """CPU seconds per 1,000 activations over our Python processes."""
        return sum(cpu for name, cpu in self.cpu_s_per_1000.items() if name != APART)


def median_per_s(rows: Sequence[Row], who: str, window: int, receipts: bool) -> float:
    """The median speed of the open runs at full speed."""
    found = sorted(row.figures.per_s for row in judged(rows, who, window, receipts))
    return found[len(found) // 2] if found else math.nan


def judged(rows: Sequence[Row], who: str, window: int, receipts: bool) -> list[Row]:
    """The open runs at full speed with this window."""
    wanted = Shape(window=window, receipts=receipts)
    return [row for row in rows if row.who == who and row.shape == wanted]


HEAD: Final = (
    f"{'who':9} {'win':>4} {'slots':6} {'receipts':8} {'rate':>6} {'act/s':>7} "
    f"{'resp p50':>9} {'p99':>8} {'conf p50':>9} {'p99':>8} "
    f"{'lost':>5} {'dbl':>4} {'refused':>7}  CPU s per 1,000"
)


def show(row: Row) -> None:
    """Print a row as soon as it is there."""
    shape, got = row.shape, row.figures
    cpu = " ".join(f"{name} {used:.3f}" for name, used in sorted(row.cpu_s_per_1000.items()))
    print(
        f"{row.who:9} {shape.window:4} {shape.freed_by:6} {'yes' if shape.receipts else 'no':8} "
        f"{f'{shape.rate:.0f}' if shape.rate else 'full':>6} {got.per_s:7.0f} "
        f"{got.response.p50_ms:9.2f} {got.response.p99_ms:8.2f} {got.confirmation.p50_ms:9.2f} "
        f"{got.confirmation.p99_ms:8.2f} {got.lost:5} {got.doubled:4} {got.refused:7}  {cpu}",
        flush=True,
    )


def summary(rows: Sequence[Row], n: int, window: int, peaks: Mapping[str, int]) -> dict[str, Any]:
    """The object of the last line."""
    ours = [row for row in rows if row.who == "undercap"]
    told: dict[str, Any] = {
        "bench": "activation",
        "n": n,
        "window": window,
        "floor_per_s": round(median_per_s(rows, "floor", window, receipts=False)),
        "floor_per_s_receipts": round(median_per_s(rows, "floor", window, receipts=True)),
        "machine": asdict(machine.machine()),
    }
    if not ours:
        return told
    full = sorted(judged(rows, "undercap", window, receipts=False), key=lambda row: row.python_cpu)
    closed = replace(full[0].shape, freed_by=FreedBy.CONFIRMATION)
    half = next(row for row in ours if row.shape.rate and not row.shape.receipts)
    half_receipts = next(row for row in ours if row.shape.rate and row.shape.receipts)
    return told | {
        "activations_per_s": round(median_per_s(rows, "undercap", window, receipts=False)),
        "activations_per_s_closed": round(next(row.figures.per_s for row in ours if row.shape == closed)),
        "activations_per_s_receipts": round(median_per_s(rows, "undercap", window, receipts=True)),
        "half_load_per_s": round(half.shape.rate or 0),
        "confirm_p50_ms": round(half.figures.confirmation.p50_ms, 2),
        "confirm_p99_ms": round(half.figures.confirmation.p99_ms, 2),
        "confirm_p50_ms_receipts": round(half_receipts.figures.confirmation.p50_ms, 2),
        "confirm_p99_ms_receipts": round(half_receipts.figures.confirmation.p99_ms, 2),
        "cpu_s_per_1000": round(full[len(full) // 2].python_cpu, 4),
        "cpu_s_per_1000_by_process": {
            name: round(used, 4) for name, used in full[len(full) // 2].cpu_s_per_1000.items()
        },
        "peak_kib": dict(peaks),
        "lost": sum(row.figures.lost for row in ours),
        "doubled": sum(row.figures.doubled for row in ours),
        "refused": sum(row.figures.refused for row in ours),
    }
