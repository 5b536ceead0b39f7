"""The machine that figures were taken on, and its disk."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.journal import Spread, spread

SYNCS: Final = 300
BLOCK: Final = b"\0" * 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What to know before comparing figures."""

    cpu: str
    cores: int
    kernel: str
    python: str


def machine() -> Machine:
    """This machine."""
    return Machine(
        cpu=_cpu_name(),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
    )


def fdatasync_times(folder: Path) -> Spread:
    """How long `fdatasync` takes after each of some small appends to a file in `folder`."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(SYNCS):
            file.write(BLOCK)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return spread(times)


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
