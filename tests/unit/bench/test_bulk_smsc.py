"""The SMSC of `make bench-bulk` counts what it was sent, and the floor beside it keeps to its window."""

from __future__ import annotations

import asyncio

import pytest

from tests.bench.bulk import finished
from tests.bench.bulk_floor import BulkFloor
from tests.bench.bulk_smsc import BulkSmsc


@pytest.mark.parametrize("window", [1, 7])
async def test_the_floor_submits_to_each_number_once_within_its_window(window: int) -> None:
    smsc = BulkSmsc()
    port = await smsc.start()
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    await loop.create_connection(lambda: BulkFloor(ended, 50, window), "127.0.0.1", port)
    await asyncio.wait_for(finished(smsc, 50), 10)
    await smsc.stop()
    await asyncio.wait_for(ended, 10)
    assert smsc.journal.segments == len(smsc.journal.numbers) == 50
    assert smsc.journal.receipts == 50
    assert smsc.journal.receipts_refused == 0
    assert smsc.journal.most_at_once == window
