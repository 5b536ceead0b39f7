"""The ledger's engine: SQLite made durable, or any database by its SQLAlchemy URL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=20000",
    "secure_delete=ON",  # what is deleted or emptied is overwritten; measured: no cost
    "cache_size=-65536",  # KiB
    # Pages of the log before it is written back, 32 MiB: under load one page changes in many transactions.
    "wal_autocheckpoint=8000",
)


def engine(url: str) -> Engine:
    """An engine for `url`; nothing connects before its first use.

    SQLite runs in WAL mode with synchronous=FULL: a commit is on disk before it returns.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    made = create_engine(url, hide_parameters=True, connect_args={"timeout": 20, "check_same_thread": False})

    @event.listens_for(made, "connect")
    def durable(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin by itself; `begin` below does
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        # Two writers must queue at the start: a deferred transaction would fail in the middle.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made


def take_turn(connection: Connection, what: str) -> None:
    """Until the transaction ends nobody else does this: what is looked up first still holds when it acts.

    SQLite's write transactions go one after the other anyway.
    """
    if connection.dialect.name == "sqlite":
        return
    key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True)
    connection.execute(select(func.pg_advisory_xact_lock(key)))


@contextmanager
def writing(engine_: Engine) -> Iterator[Connection]:
    """One durable transaction: committed at the end, rolled back on any exception."""
    with engine_.execution_options(writes=True).begin() as connection:
        yield connection
