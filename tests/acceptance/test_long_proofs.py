"""A minute of each long proof of texts: `make soak-kill`, `-disk`, `-loss`, `-smpp`, `-octets`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bench.load_run import FreedBy
from tests.peers import fetch
from tests.soak import disk, kill, loss, octets, smpp


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
async def test_books_and_an_smsc_in_trouble_agree_to_the_last_message(tmp_path: Path) -> None:
    plan = smpp.Plan(n=2_500, seed=6, stretches=9, slowest=200, reassembly_s=12, settle_s=60)
    verdict = await smpp.run(plan, tmp_path)
    assert verdict.faults == []
    assert verdict.acknowledged == 2_500
    # It was in trouble indeed: each kind came, and answers were doubled where nobody could know.
    assert {"restart", "cut", "half-close", "deaf"} <= verdict.troubles.keys()
    assert {"throttled", "refused for now", "refused for good", "not answered"} <= verdict.troubles.keys()
    assert {"cut off", "garbage", "somebody else's", "on its way"} <= verdict.receipts.keys()
    assert 0 < verdict.copies <= verdict.marked_as_doubled * 2


@pytest.mark.timeout(300)
async def test_whatever_an_smsc_writes_the_process_lives(tmp_path: Path) -> None:
    verdict = await octets.run(20.0, 7, tmp_path)
    assert verdict.faults == []
    assert verdict.streams > 1_000
    assert verdict.in_process >= octets.IN_PROCESS / 2  # a busy machine reaches fewer
    assert verdict.handed_on > 0 < verdict.ended
