"""What Prometheus gets of a gateway in which nothing has happened yet."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.http.operator.metrics import PATH
from gateway.store.telemetry import measures
from gateway.store.telemetry.measures import Measure
from tests.harness import ROOT, Gateway, link_table

READ = """
import sys
from pathlib import Path
from gateway.store.telemetry.metrics import exposition

print(exposition(Path(sys.argv[1])).decode())
"""
CALLS = ("call", "agi", "ami", "offer_calls", "dial_share")  # of a process that does not run here
EXPECTED = {
    'undercap_link_bound{link="operator-a"} 0.0',
    'undercap_texts_total{link="operator-a",outcome="limited_consent_heard"} 0.0',
    'undercap_answers_total{link="operator-b",state="unknown"} 0.0',
    'undercap_answers_possibly_doubled_total{link="operator-b"} 0.0',
    'undercap_receipts_total{link="operator-a",state="of_no_end"} 0.0',
    'undercap_receipt_outcomes_total{link="operator-b",outcome="unmatched"} 0.0',
    'undercap_receipt_outcomes_total{link="operator-b",outcome="unreadable"} 0.0',
    'undercap_smpp_events_total{event="throttled",link="operator-a"} 0.0',
    'undercap_response_seconds_count{link="operator-a"} 0.0',
    'undercap_outcomes_total{channel="web",outcome="already_used"} 0.0',
    'undercap_claims_total{channel="sms",result="voided"} 0.0',
    'undercap_claims_total{channel="api",result="claimed"} 0.0',
    'undercap_nudges_total{by="sweep"} 0.0',
    'undercap_http_requests_total{route="/v1/activations",status="503"} 0.0',
    'undercap_http_request_seconds_count{route="/v1/activations"} 0.0',
    'undercap_http_connections_dropped_total{why="silent"} 0.0',
    'undercap_alias_lookups_total{result="crowded"} 0.0',
    'undercap_web_pins_total{outcome="asked_number"} 0.0',
    'undercap_offers_total{fate="denied",reason="no_consent"} 0.0',
    'undercap_offers_total{fate="deferred",reason="cap_week"} 0.0',
    "undercap_dead_letters_added_total 0.0",
    "undercap_tills_stopped_total 0.0",
}


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[str]:
    """The first scrape, when all processes have started."""
    links = [link_table(1, name="operator-a"), link_table(1, name="operator-b")]
    gateway = Gateway(state=tmp_path / "gateway", links=links)
    gateway.write_config()
    gateway.start("up")
    try:
        await gateway.until(
            lambda: "Undercap is ready" in (gateway.state / "up.log").read_text(), "it does not start"
        )
        yield await asyncio.to_thread(_scrape, gateway.state / "var" / "metrics")
    finally:
        gateway.close()


def _scrape(directory: Path) -> str:
    argv = [sys.executable, "-c", READ, str(directory)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


async def test_all_that_can_be_counted_is_there(page: str) -> None:
    assert EXPECTED - set(page.splitlines()) == set()
    shown = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    absent = {
        measure.name
        for measure in _all()
        if not measure.name.startswith(tuple(f"undercap_{word}" for word in CALLS))
        and f"{measure.name}{'_total' if measure.sort == 'counter' else ''}" not in shown
    }
    assert absent == set()


async def test_each_process_tells_of_itself(page: str) -> None:
    for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "start_time_seconds"):
        told = dict(re.findall(rf'^process_{name}{{process="(\w+)"}} (\S+)$', page, re.MULTILINE))
        assert set(told) == {"up", "smpp", "worker", "blasts", "api"}
        assert all(float(value) > 0 for value in told.values())
    assert len(re.findall(r'^undercap_build_info{python="3\.\d+\.\S+",version="\S+"} 1.0$', page, re.M)) == 1


def test_the_list_in_the_docs_is_whole() -> None:
    told = (ROOT / "docs" / "metrics.md").read_text()
    assert PATH in told
    names = {measure.name + ("_total" if measure.sort == "counter" else "") for measure in _all()}
    assert {name for name in names if f"| `{name}` |" not in told} == set()


def test_names_are_as_prometheus_wants_them() -> None:
    """The rules of `promtool check metrics` that a name can break."""
    for measure in _all():
        assert re.fullmatch(r"(undercap|process)(_[a-z]+)+", measure.name)
        assert not measure.name.endswith(("_total", "_count", "_sum", "_bucket"))
        assert measure.sort != "histogram" or measure.name.endswith("_seconds")
        assert measure.told


def _all() -> list[Measure]:
    found = []
    for value in vars(measures).values():
        found += [
            one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Measure)
        ]
    return found
