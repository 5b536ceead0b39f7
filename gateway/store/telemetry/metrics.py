"""Counts of every process in files of one directory, so that the API process shows them all.

prometheus_client's multiprocess mode: each process writes files of its own, mapped into memory, and whoever
is asked adds them up. A process holds a lock beside its files; the files of one that is gone are taken on by
the next that starts, so counters go on over a restart and the directory does not grow. What happens thousands
of times a second is gathered in plain memory and written about once a second: a SIGKILL costs that second.

Nothing here ever holds a number or a code: labels are words of closed sets and the names of links.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from gateway.store.telemetry import measures
from gateway.store.telemetry.measures import Measure

# Bytes of a file, some 800 series. Written out at the start: a page of a mapped file for which the disk has
# no room would end the process.
_ROOM: Final = 256 * 1024
METRICS: Final = "metrics"  # the directory, in the state directory
_SORTS: Final = ("counter", "histogram", "gauge_livesum", "gauge_livemax")
_DEFAULT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MOST_WAITING: Final = 50_000  # observations that wait to be written; the rest of that second is left out
_FLUSH_EVERY_S: Final = 1.0
_OWN_EVERY_S: Final = 5.0  # a process looks at its own memory and files
# What stands in no settings and no code of ours, or is named as the settings have it.
_AS_THEY_ARE: Final = frozenset({"link", "version", "python"})
log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Tick:
    """One counter in plain memory: add to `n`. Of one thread only; `flush` may run in another."""

    child: Any
    n: float = 0
    written: float = 0


class Meter:
    """Counts for one process. A meter that was not opened gathers nothing that anybody sees."""

    def __init__(self) -> None:
        self._open = False
        self._ticks: dict[tuple[object, ...], Tick] = {}
        self._seconds: list[tuple[Any, float]] = []
        self._families: dict[Measure, Any] = {}
        self._children: dict[tuple[object, ...], Any] = {}
        self._held: int | None = None
        self._process = ""
        self._own_at = 0.0  # when this process is looked at again, monotonic

    def open(self, directory: Path, process: str) -> None:
        """Start to measure; `process`: as the command line calls it.

        A directory that cannot be written costs the measures, never the service.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = _take_place(directory)
        except OSError as err:
            log.warning("metrics are off", reason=err.strerror, directory=directory.name)
            return
        # prometheus_client chooses its mode from the environment when it is imported, so that comes later.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
        from importlib.metadata import version  # noqa: PLC0415 - commands measure nothing, and start sooner

        self._open, self._process = True, process
        self.gauge(measures.BUILD_INFO, 1, version("undercap"), platform.python_version())
        self.flush()

    async def run(self) -> None:
        """Write about once a second until cancelled."""
        while True:
            self.flush()
            await asyncio.sleep(_FLUSH_EVERY_S)

    def declare(self, measure: Measure, *labels: Iterable[str]) -> None:
        """Show 0 until the first event, for each combination of what the labels can be."""
        for said in itertools.product(*labels):
            if measure.sort == "counter":
                self.tick(measure, *said)
            elif self._open:
                self._child(measure, said)

    def tick(self, measure: Measure, *labels: str) -> Tick:
        """The counter with these labels; keep it where counting must cost nothing."""
        key = (measure, *labels)
        found = self._ticks.get(key)
        if found is None:
            found = self._ticks[key] = Tick(self._child(measure, labels) if self._open else None)
        return found

    def count(self, measure: Measure, *labels: str, n: int = 1) -> None:
        """`n` more."""
        self.tick(measure, *labels).n += n

    def total(self, measure: Measure, *labels: str, now: float) -> None:
        """A counter that somebody else has kept since this process started stands at `now`."""
        self.tick(measure, *labels).n = now

    def observe(self, measure: Measure, seconds: float, *labels: str) -> None:
        """One duration."""
        if self._open and len(self._seconds) < _MOST_WAITING:
            self._seconds.append((self._child(measure, labels), seconds))

    def gauge(self, measure: Measure, value: float, *labels: str) -> None:
        """What stands now; written at once."""
        if self._open:
            self._child(measure, labels).set(value)

    def flush(self) -> None:
        """Write what was gathered. One thread calls it, always the same."""
        if not self._open:
            return
        if time.monotonic() >= self._own_at:
            self._look_at_itself()
        for tick in list(self._ticks.values()):
            now = tick.n
            if now > tick.written:
                tick.child.inc(now - tick.written)
                tick.written = now
        seconds, self._seconds = self._seconds, []
        for child, value in seconds:
            child.observe(value)

    def _look_at_itself(self) -> None:
        """CPU, memory and files of this process, by prometheus_client's reader; it knows them on Linux."""
        from prometheus_client import ProcessCollector  # noqa: PLC0415 - after `open`

        self._own_at = time.monotonic() + _OWN_EVERY_S
        found = {family.name: family.samples[0].value for family in ProcessCollector(registry=None).collect()}
        if spent := found.get(measures.CPU_SECONDS.name):
            self.total(measures.CPU_SECONDS, self._process, now=spent)
        for measure in measures.PROCESS_GAUGES:
            if measure.name in found:
                self.gauge(measure, found[measure.name], self._process)

    def _child(self, measure: Measure, labels: tuple[str, ...]) -> Any:
        child = self._children.get((measure, *labels))
        if child is None:
            family = self._families.get(measure)
            if family is None:
                family = self._families[measure] = _family(measure)
            told = [
                said if of in _AS_THEY_ARE else _word(said)
                for of, said in zip(measure.labels, labels, strict=True)
            ]
            child = family.labels(*told) if told else family
            self._children[(measure, *labels)] = child
        return child


def clear(directory: Path) -> None:
    """Forget all counts; only while no process writes here."""
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A gauge that is read when it is asked for. `values`: by the one label, or under "" without a label."""

    name: str
    told: str
    label: str = ""
    values: Mapping[str, float]


def exposition(directory: Path, readings: Iterable[Reading] = ()) -> bytes:
    """Everything that all processes have counted, and `readings`, in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - after `open`
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    _drop_gauges(directory)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]
    registry.register(_Readings(readings))
    try:
        return generate_latest(registry)
    except FileNotFoundError:  # a process has just taken on the files of another
        return generate_latest(registry)


class _Readings:
    """Readings as prometheus_client collects them."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = list(readings)

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - after `open`

        for reading in self._readings:
            labels = (reading.label,) if reading.label else ()
            family = GaugeMetricFamily(reading.name, reading.told, labels=labels)
            for label, value in reading.values.items():
                family.add_metric((label,) if reading.label else (), value)
            yield family


def _family(measure: Measure) -> Any:
    from prometheus_client import Counter as PromCounter  # noqa: PLC0415 - after `open`
    from prometheus_client import Gauge, Histogram  # noqa: PLC0415

    if measure.sort == "counter":
        return PromCounter(measure.name, measure.told, measure.labels, registry=None)
    if measure.sort == "histogram":
        return Histogram(measure.name, measure.told, measure.labels, registry=None, buckets=_DEFAULT_BUCKETS)
    mode: Any = measure.sort.removeprefix("gauge_")
    return Gauge(measure.name, measure.told, measure.labels, registry=None, multiprocess_mode=mode)


def _word(label: str) -> str:
    return re.sub(r"[^0-9A-Za-z/{}.]+", "_", label).strip("_")


def _take_place(directory: Path) -> int:
    """Lock this process's place and make its files at full size; take on those of one that is gone."""
    with _alone(directory):
        pid = os.getpid()
        held = os.open(directory / f"{pid}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        heir = _path(directory, "counter", pid).exists()
        for gone in [] if heir else _gone(directory)[:1]:
            for sort in _SORTS:
                with contextlib.suppress(FileNotFoundError):
                    _path(directory, sort, gone).rename(_path(directory, sort, pid))
            (directory / f"{gone}.lock").unlink()
        for sort in _SORTS:
            path = _path(directory, sort, pid)
            if sort.startswith("gauge") or not path.exists():
                path.write_bytes(bytes(_ROOM))
    return held


def _drop_gauges(directory: Path) -> None:
    with _alone(directory):
        for gone in _gone(directory):
            for path in directory.glob(f"gauge_live*_{gone}.db"):
                path.unlink(missing_ok=True)


def _gone(directory: Path) -> list[int]:
    """Processes that have files here and do not live. Call it alone."""
    found = []
    for path in directory.glob("*.lock"):
        if not path.stem.isdigit() or path.stem == str(os.getpid()):
            continue
        descriptor = os.open(path, os.O_RDWR)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.append(int(path.stem))
        os.close(descriptor)
    return found


def _path(directory: Path, sort: str, pid: int) -> Path:
    return directory / f"{sort}_{pid}.db"


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory / "places.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for some milliseconds at most
        yield
    finally:
        os.close(descriptor)
