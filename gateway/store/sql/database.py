"""The ledger's engine: SQLite made durable, or any database by its SQLAlchemy URL."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select

from config.settings import SqlSettings

_FOLD_WITHIN_S = 5.0
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


USUAL = SqlSettings()
# For what may take its time: migrations wait for each other, and walk whole tables.
PATIENT = SqlSettings(statement_timeout_s=0, lock_timeout_s=0)


def engine(url: str, bounds: SqlSettings = USUAL) -> Engine:
    """An engine for `url`; nothing connects before its first use. `bounds`: of a server's connections.

    SQLite runs in WAL mode with synchronous=FULL: a commit is on disk before it returns.
    """
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=bounds.pool_size,
            max_overflow=bounds.pool_overflow,
            pool_recycle=bounds.pool_recycle_s,
            connect_args=_bounded(make_url(url), bounds) if url.startswith("postgresql") else {},
        )
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


def _bounded(url: URL, bounds: SqlSettings) -> dict[str, Any]:
    """How libpq and psycopg connect (PostgreSQL's manual, "Parameter Key Words"); the URL's own win."""
    wanted: dict[str, Any] = {
        "connect_timeout": bounds.connect_timeout_s,
        "keepalives_idle": bounds.keepalive_idle_s,
        "keepalives_interval": bounds.keepalive_interval_s,
        "keepalives_count": bounds.keepalive_count,
        "tcp_user_timeout": round(bounds.tcp_user_timeout_s * 1000),
    }
    told = {name: value for name, value in wanted.items() if name not in url.query}
    times = (("statement_timeout", bounds.statement_timeout_s), ("lock_timeout", bounds.lock_timeout_s))
    options = [f"-c {name}={round(seconds * 1000)}" for name, seconds in times if seconds]
    if options:  # not even sent else: some poolers refuse them
        own = url.query.get("options", "")
        told["options"] = " ".join((*options, own if isinstance(own, str) else " ".join(own))).strip()
    return told | {"prepare_threshold": bounds.prepare_threshold or None}


def be_patient(engine_: Engine) -> None:
    """Let statements of this engine take their time, whatever was set for its connections.

    For what walks whole tables and must come to its end. Said in each transaction, since behind a pooler the
    next one may have another connection.
    """
    if engine_.dialect.name == "postgresql":

        @event.listens_for(engine_, "begin")
        def begin(connection: Connection) -> None:
            # By a cursor of its own: SQLAlchemy's may be a server's, which takes nothing but queries.
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")


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


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for another one."""
    parsed = make_url(url)
    name = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return Path(name) if name and name != ":memory:" else None


def fold(url: str) -> bool:
    """Write SQLite's log back, so that the file alone is the whole ledger; False while others keep it open.

    Nothing is to be done for another database, nor where there is no file yet.
    """
    file = sqlite_file(url)
    if file is None or not file.exists():
        return True
    try:
        with closing(sqlite3.connect(file, timeout=_FOLD_WITHIN_S)) as connection:
            busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error:
        return False
    return not busy
