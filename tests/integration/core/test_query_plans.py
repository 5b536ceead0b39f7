"""What settlement asks of SQL for each answer is found by a key, never by walking through them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import bindparam, create_engine
from sqlalchemy.dialects import sqlite

from gateway.store import ledger, migrate

BY_ID, BY_SMSC_ID = "sqlite_autoindex_message_1 (id=?)", "ix_message_smsc_id (smsc_id=?)"
SHOPPER = "SEARCH shopper USING INTEGER PRIMARY KEY (rowid=?)"
STATEMENTS = {
    "an outcome": (ledger._END_MESSAGE, [f"SEARCH message USING INDEX {BY_ID}"]),
    "a receipt": (ledger._RECEIPT, [f"SEARCH message USING INDEX {BY_ID}"]),
    "whose a receipt is": (
        ledger._receipted([bindparam("v0"), bindparam("v1")]),
        [f"SEARCH message USING INDEX {BY_SMSC_ID}", SHOPPER],
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_answered_by_its_index(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    migrate.upgrade(url)
    statement, searches = STATEMENTS[name]
    compiled = statement.compile(dialect=sqlite.dialect())
    with create_engine(url).connect() as connection:
        values = tuple("" for _ in compiled.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        assert searches == [row[-1] for row in plan]
