"""Poison and outages: what PostgreSQL alone says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.redis import keys
from gateway.store.sql.faults import LedgerAway
from tests.integration.house import House


@contextmanager
def read_only(house: House) -> Iterator[None]:
    """As after a failover, before the standby is promoted."""
    admin = create_engine(house.sql_url, isolation_level="AUTOCOMMIT")
    name = admin.url.database
    try:
        with admin.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        house.engine.dispose()
        yield
        with admin.connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        house.engine.dispose()
    finally:
        admin.dispose()


async def test_a_ledger_that_is_read_only_is_away(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 6)
    for at, code in enumerate(codes):
        await house.text(code, f"38067000000{at}")
    with read_only(house):
        for _ in range(3 * house.patience.failures):
            with pytest.raises(LedgerAway, match="25006"):
                house.drain()
    assert list(DeadLetters(house.redis, 1).all()) == []
    assert house.names("*:attempts") == []
    assert house.drain() == 6
    assert len(house.rows("activation", "id")) == 6


async def test_a_receipt_with_a_nul_that_an_older_version_has_queued(house: House) -> None:
    house.firm()
    house.campaign()
    house.redis.xadd(keys.receipts("peer"), {"r": b"delivered||1700000000500||a\0b"})
    house.redis.xadd(keys.receipts("peer"), {"r": b"delivered||1700000000500||ab"}, id="*")
    house.drain()
    assert house.redis.xlen(keys.receipts("peer")) == 2  # one waits for its answer, one is tried again
    assert house.redis.hlen(keys.receipts_spool("peer").suspects) == 1
