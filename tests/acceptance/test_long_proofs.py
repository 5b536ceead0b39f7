"""A minute of each long proof (`make soak-kill`, `soak-disk`, `soak-loss`, `soak-bytes`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bench.load_run import FreedBy
from tests.peers import fetch
from tests.soak import bytes as bent
from tests.soak import disk, kill, loss


@pytest.mark.timeout(300)
@pytest.mark.parametrize("slots", FreedBy)
async def test_kills_lose_nothing_and_double_only_what_they_must(tmp_path: Path, slots: FreedBy) -> None:
    verdict = await kill.run(kill.Plan(n=3_000, rounds=1, seed=7, slots=slots), tmp_path)
    assert verdict.faults == []
    assert verdict.credited == 3_000
    assert verdict.doubled_by_redelivery == 0


@pytest.mark.timeout(300)
async def test_no_rok_before_the_disk_has_it(tmp_path: Path) -> None:
    try:
        fetch.strace()
    except fetch.PeerMissingError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"peer missing: {missing}")
        pytest.skip(f"peer missing: {missing}")
    verdict = await disk.run(tmp_path, texts=2, delay_s=0.7)
    assert verdict.faults == []


@pytest.mark.timeout(300)
async def test_a_lost_redis_is_rebuilt_and_the_loss_is_bounded(tmp_path: Path) -> None:
    verdict = await loss.run(tmp_path, n=3_000, rate=1_000)
    assert verdict.faults == []


@pytest.mark.timeout(300)
async def test_bent_pdus_end_no_process_and_lose_nothing(tmp_path: Path) -> None:
    verdict = await bent.run(tmp_path, minutes=0.4, seed=7)
    assert verdict.faults == []
    assert verdict.credited == verdict.texts
