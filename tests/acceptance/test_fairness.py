"""While one firm's blast fills a link, another's replies, STOPs and PINs leave as if it were alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.fairness import FIRMS, run

PACE = 15.0


@pytest.mark.parametrize("noisy", range(len(FIRMS)), ids=[slug for slug, _ in FIRMS])
async def test_a_blast_costs_another_firm_no_time(tmp_path: Path, noisy: int) -> None:
    rows, offers_left = await run(tmp_path / "state", noisy, n=600, rounds=4, pace=PACE)
    alone = {row.kind: row for row in rows if not row.beside}
    beside = {row.kind: row for row in rows if row.beside}
    assert [row.lost for row in rows] == [0] * 6
    assert all(beside[kind].p99_s < alone[kind].p99_s + 1.0 for kind in alone), rows
    assert offers_left > 0
