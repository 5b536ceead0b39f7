"""What settlement asks of SQL for each answer is found by a key, never by walking through them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from gateway.store import ledger, migrate

STATEMENTS = {
    "an outcome": (ledger._END_MESSAGE, "sqlite_autoindex_message_1 (id=?)"),
    "a receipt": (ledger._RECEIPT, "ix_message_smsc_id (smsc_id=?)"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_answered_by_its_index(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    migrate.upgrade(url)
    statement, index = STATEMENTS[name]
    compiled = statement.compile(dialect=sqlite.dialect())
    with create_engine(url).connect() as connection:
        values = tuple("" for _ in compiled.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        assert [f"SEARCH message USING INDEX {index}"] == [row[-1] for row in plan]
