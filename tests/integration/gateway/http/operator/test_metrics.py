"""Counts of several processes, of which some are killed, read together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gateway.store.telemetry import metrics

COUNT = """
import os, signal, sys
from pathlib import Path
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter

directory, link, bound, end = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
meter = Meter()
meter.open(directory, "smpp")
meter.count(measures.TEXTS, link, "limited, silent", n=3)
meter.total(measures.SMPP, link, "binds", now=2)
meter.observe(measures.RESPONSE_S, 0.02, link)
meter.gauge(measures.LINK_BOUND, bound, link)
meter.flush()
print("written", flush=True)
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if end == "waits":
    sys.stdin.read()
"""
READ = """
import sys
from pathlib import Path
from gateway.store.telemetry.metrics import Meter, Reading, exposition

reading = Reading(name="undercap_outbox_texts", told="Texts", values={"": 7})
print(exposition(Path(sys.argv[1]), [reading]).decode())
"""


def count(directory: Path, link: str, *, bound: int = 1, end: str = "ends") -> subprocess.Popen[str]:
    """A process that has counted."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNT, str(directory), link, str(bound), end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "written\n" in iter(process.stdout.readline, "")
    if end != "waits":
        process.communicate()
    return process


def read(directory: Path) -> set[str]:
    """The lines that a scrape gets, but for comments."""
    told = subprocess.run(
        [sys.executable, "-c", READ, str(directory)], capture_output=True, text=True, check=True
    ).stdout
    return {line for line in told.splitlines() if line and not line.startswith("#")}


def test_counts_of_all_processes_are_added_up(tmp_path: Path) -> None:
    living = count(tmp_path, "one", end="waits")
    count(tmp_path, "one", end="killed")
    lines = read(tmp_path)
    living.communicate()
    assert {
        'undercap_texts_total{link="one",outcome="limited_silent"} 6.0',
        'undercap_smpp_events_total{event="binds",link="one"} 4.0',
        'undercap_response_seconds_bucket{le="0.01",link="one"} 0.0',
        'undercap_response_seconds_bucket{le="0.025",link="one"} 2.0',
        'undercap_link_bound{link="one"} 1.0',
        "undercap_outbox_texts 7.0",
    } <= lines


def test_a_process_that_is_gone_stands_in_no_gauge_and_its_counts_stay(tmp_path: Path) -> None:
    count(tmp_path, "one", end="killed")
    lines = read(tmp_path)
    assert 'undercap_texts_total{link="one",outcome="limited_silent"} 3.0' in lines
    assert [line for line in lines if line.startswith("undercap_link_bound")] == []


def test_one_file_serves_a_process_and_all_that_come_after_it(tmp_path: Path) -> None:
    for _ in range(5):
        count(tmp_path, "one", end="killed")
    assert 'undercap_texts_total{link="one",outcome="limited_silent"} 15.0' in read(tmp_path)
    assert len(list(tmp_path.glob("counter_*.db"))) == 1


def test_cleared_is_forgotten(tmp_path: Path) -> None:
    count(tmp_path, "one")
    metrics.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_costs_the_measures_alone(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    process = count(tmp_path / "file" / "metrics", "one")
    assert process.returncode == 0


def test_a_link_is_named_as_in_the_settings(tmp_path: Path) -> None:
    """In a process of its own: prometheus_client chooses its mode at its import."""
    script = (
        "import sys; from pathlib import Path; from gateway.store.telemetry import measures, metrics\n"
        "d = Path(sys.argv[1]); m = metrics.Meter(); m.open(d, 'api')\n"
        "m.count(measures.ANSWERS, 'operator-a', 're-tried')\n"
        "m.flush(); sys.stdout.write(metrics.exposition(d).decode())"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert 'undercap_answers_total{link="operator-a",state="re_tried"} 1.0' in told
