"""A minute of each long proof of calls and offers: `make soak-calls`, `-blast`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import any_asterisk, sipp_program
from tests.harness import VALKEY
from tests.soak import blast, calls, hours


@pytest.mark.timeout(300)
async def test_many_callers_are_served_to_the_end(tmp_path: Path) -> None:
    sipp_program()
    release = any_asterisk().name.split()[-1]
    plan = calls.Plan(n=60, rate=15, pause_s=0.7, seed=7, release=release)
    verdict = await calls.run(plan, tmp_path)
    assert verdict.faults == []
    assert verdict.count.most_at_once > 20


@pytest.mark.timeout(300)
async def test_a_blast_through_trouble_reaches_each_once_and_nobody_who_said_no(tmp_path: Path) -> None:
    plan = blast.Plan(n=600, per_s=60, seed=7, crosses_in_s=6, victims=("smpp", "worker", VALKEY))
    verdict = await blast.run(plan, tmp_path)
    assert verdict.faults == []
    assert (verdict.kills, verdict.pauses) == (3, 3)
    assert verdict.received > 150
    assert verdict.stops > 20
    assert verdict.throttled > 1
    # Each trouble was there indeed.
    assert all(verdict.closed.values())
    assert verdict.opened > 50
    assert verdict.held >= plan.stills
    assert min(verdict.lost, verdict.late, verdict.failed) > 0


@pytest.mark.timeout(300)
async def test_each_is_reached_once_and_nobody_after_a_no_though_redis_is_put_back_under_way(
    tmp_path: Path,
) -> None:
    plan = blast.Plan(n=900, per_s=80, seed=7, crosses_in_s=25, victims=("smpp",), stores=True)
    verdict = await blast.run(plan, tmp_path)
    assert verdict.faults == []
    assert (verdict.restores, verdict.rebuilds, verdict.steps) == (2, 2, 1)
    assert verdict.withdrawn == 25
    # The troubles came while offers left, and went on to leave.
    assert min(verdict.forgotten, verdict.after) >= blast.SOME


@pytest.mark.timeout(300)
async def test_the_proof_of_a_blast_notices_a_gate_that_allows_all(tmp_path: Path) -> None:
    plan = blast.Plan(n=200, per_s=40, seed=7, crosses_in_s=3, stills=0, gated=False, victims=("worker",))
    broken = {fault.partition(":")[0] for fault in (await blast.run(plan, tmp_path)).faults}
    closed = {f"outside the hours of {region.zone}" for region in hours.CLOSING}
    assert {"after their STOP", "while it was paused", *closed} <= broken
