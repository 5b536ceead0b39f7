"""Small runs of the benchmarks: nothing is lost or doubled, the window is kept, aliases are found."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import aliases, bulk, calls, reassembly


async def test_a_filled_queue_leaves_once_and_gets_its_receipts(tmp_path: Path) -> None:
    rows = await bulk.gateway(300, [1, 10], tmp_path)
    assert [(row.window, row.lost, row.doubled, row.receipts) for row in rows] == [
        (1, 0, 0, 300),
        (10, 0, 0, 300),
    ]
    assert [row.most_at_once for row in rows] == [1, 10]
    assert all({"smpp", "worker", "valkey"} == row.cpu_s_per_1000.keys() for row in rows)


def test_every_alias_is_found_and_no_other() -> None:
    told = aliases.bench(2_000, 50)
    assert told["different"] == 2_000
    assert [told["look_up"][name]["found"] for name in ("known", "unknown")] == [50, 0]


async def test_all_parts_become_texts() -> None:
    with tempfile.TemporaryDirectory(prefix="uc-") as folder:  # a socket's path may hold 107 octets
        rows = await reassembly.ours(60, 3, [1, 20], Path(folder))
    assert [(row["batch"], row["lost"]) for row in rows] == [(1, 0), (20, 0)]


async def test_each_server_takes_the_same_calls() -> None:
    talk, floor = await calls.bench(60, 10)
    assert talk.commands == floor.commands > 10
    assert talk.calls == floor.calls == 60
