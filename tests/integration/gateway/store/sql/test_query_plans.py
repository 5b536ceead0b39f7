"""What is asked of SQL for each text or look-up is found by a key, never by walking through them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import bindparam, create_engine
from sqlalchemy.dialects import sqlite

from gateway.store.people import aliases
from gateway.store.points import ledger
from gateway.store.sql import migrate
from gateway.store.texts import outcomes

BY_ID, BY_SMSC_ID = "sqlite_autoindex_message_1 (id=?)", "ix_message_smsc_id (<expr>=?)"
PART_BY_SMSC_ID = "ix_message_part_smsc_id (<expr>=?)"
PARTS_OF = "sqlite_autoindex_message_part_1 (message_id=?)"
PART_BY_ID = "sqlite_autoindex_message_part_1 (message_id=? AND part=?)"
SHOPPER = "SEARCH shopper USING INTEGER PRIMARY KEY (rowid=?)"
STATEMENTS = {
    "an outcome": (outcomes._END_MESSAGE, [f"SEARCH message USING INDEX {BY_ID}"]),
    "a receipt": (outcomes._RECEIPT, [f"SEARCH message USING INDEX {BY_ID}"]),
    "whose a receipt is": (
        outcomes._receipted([bindparam("v0"), bindparam("v1")]),
        [f"SEARCH message USING INDEX {BY_SMSC_ID}", SHOPPER],
    ),
    "whose a part's receipt is": (
        outcomes._receipted_parts([bindparam("v0"), bindparam("v1")]),
        [
            f"SEARCH message_part USING INDEX {PART_BY_SMSC_ID}",
            f"SEARCH message USING INDEX {BY_ID}",
            SHOPPER,
        ],
    ),
    "whoever texts": (
        ledger._standing([bindparam("v0"), bindparam("v1")]),
        [
            "SEARCH shopper USING INDEX sqlite_autoindex_shopper_1 (key=?)",
            "SEARCH balance USING INDEX sqlite_autoindex_balance_1 (shopper_id=? AND firm_id=?) LEFT-JOIN",
            "SEARCH alias USING INDEX ix_alias_unproved (shopper_id=?) LEFT-JOIN",
        ],
    ),
    "a text that proves a number": (
        aliases._TEXTED,
        ["SEARCH alias USING INDEX uq_alias_current (shopper_id=?)"],
    ),
    "an alias at a till": (
        aliases._LOOK_UP,
        [
            "SEARCH alias USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH balance USING INDEX sqlite_autoindex_balance_1 (shopper_id=? AND firm_id=?) LEFT-JOIN",
        ],
    ),
    "a part's receipt": (outcomes._PART_RECEIPT, [f"SEARCH message_part USING INDEX {PART_BY_ID}"]),
    "whether all parts are there": (
        outcomes._ALL_PARTS,
        [
            f"SEARCH message USING INDEX {BY_ID}",
            "SCALAR SUBQUERY 1",
            f"SEARCH message_part USING INDEX {PARTS_OF}",
        ],
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
