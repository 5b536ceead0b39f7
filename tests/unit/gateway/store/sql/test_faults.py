"""Whose fault an error of the database is: its own, a race's, or the row's."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import exc

from gateway.store.sql.faults import Blame, LedgerAway, blame, word
from gateway.store.sql.piecemeal import attempt, piecemeal

AWAY, AGAIN, ROW = Blame.AWAY, Blame.AGAIN, Blame.ROW
STATES = [
    ("25006", AWAY, "read-only: not promoted yet"),
    ("25P02", AWAY, "in a transaction that has failed"),
    ("08006", AWAY, "the connection broke"),
    ("08P01", AWAY, "a pooler lost the protocol"),
    ("26000", AGAIN, "a pooler's other connection does not know the prepared statement"),
    ("42P05", AGAIN, "or knows another one of that name"),
    ("0A000", AGAIN, "a plan of before a migration"),
    ("40001", AGAIN, "serialisation"),
    ("40P01", AGAIN, "deadlock"),
    ("53100", AWAY, "disk full"),
    ("53300", AWAY, "too many connections"),
    ("55P03", AWAY, "a lock that did not come"),
    ("57014", AWAY, "cancelled by a time-out"),
    ("57P01", AWAY, "shutting down"),
    ("57P03", AWAY, "starting up"),
    ("58030", AWAY, "its disk"),
    ("XX001", AWAY, "damaged"),
    ("28P01", AWAY, "the password was changed"),
    ("3D000", AWAY, "no such database"),
    ("42501", AWAY, "no right"),
    ("42P01", AWAY, "no such table"),
    ("22001", ROW, "too long"),
    ("22003", ROW, "out of range"),
    ("22021", ROW, "not in the encoding"),
    ("23505", ROW, "there already"),
    ("23503", ROW, "nobody's"),
    ("42804", ROW, "of another type"),
]


def wrapped(orig: Exception, *, invalidated: bool = False) -> exc.DBAPIError:
    """As SQLAlchemy raises it."""
    bases: Any = (psycopg.Error, sqlite3.Error)
    made = exc.DBAPIError.instance(
        "INSERT", {}, orig, bases[isinstance(orig, sqlite3.Error)], connection_invalidated=invalidated
    )
    assert isinstance(made, exc.DBAPIError)
    return made


@pytest.mark.parametrize(("state", "expected", "_"), STATES, ids=[f"{row[0]} {row[2]}" for row in STATES])
def test_postgresql_by_sqlstate(state: str, expected: Blame, _: str) -> None:
    error = wrapped(psycopg.errors.lookup(state)("told with a value"))
    assert blame(error) is expected
    assert word(error).endswith(state)
    assert "value" not in word(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (wrapped(psycopg.OperationalError("connection refused")), AWAY),
        (wrapped(psycopg.InterfaceError("the connection is closed")), AWAY),
        (wrapped(psycopg.DataError("cannot contain NUL"), invalidated=False), ROW),
        (wrapped(psycopg.DataError("x"), invalidated=True), AWAY),
        (exc.TimeoutError("QueuePool limit"), AWAY),
        (exc.PendingRollbackError("x"), AWAY),
        (PermissionError("the sealing keys cannot be read"), AWAY),
        (LedgerAway("gone"), AWAY),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"), ROW),
        (KeyError("a campaign"), ROW),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else str(given),
)
def test_by_the_kind_of_exception(error: Exception, expected: Blame) -> None:
    assert blame(error) is expected


def of_sqlite(tmp_path: Path, fault: str) -> sqlite3.Error:
    """A true error of SQLite."""
    path = tmp_path / "a.db"
    first = sqlite3.connect(path, timeout=0, isolation_level=None)
    first.execute("CREATE TABLE t (a INTEGER PRIMARY KEY CHECK (a < 9))")
    second = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        if fault == "locked":
            first.execute("BEGIN IMMEDIATE")
        if fault == "readonly":
            second.execute("PRAGMA query_only = 1")
        if fault == "full":
            second.execute("PRAGMA max_page_count = 1")
            second.execute("CREATE TABLE big (a)")
        if fault == "not open":
            sqlite3.connect(tmp_path / "none" / "b.db")
        table = "u" if fault == "no table" else "t"
        second.execute(f"INSERT INTO {table} VALUES (?)", (10 if fault == "check" else 1,))  # noqa: S608
        if fault == "twice":
            second.execute("INSERT INTO t VALUES (1)")
    except sqlite3.Error as err:
        return err
    finally:
        first.close()
        second.close()
    raise AssertionError(fault)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("locked", AWAY),
        ("readonly", AWAY),
        ("full", AWAY),
        ("not open", AWAY),
        ("no table", AWAY),
        ("check", ROW),
        ("twice", ROW),
    ],
)
def test_sqlite_by_its_code(tmp_path: Path, fault: str, expected: Blame) -> None:
    assert blame(wrapped(of_sqlite(tmp_path, fault))) is expected


def test_only_what_fails_alone_is_left() -> None:
    written: list[int] = []

    def write(batch: Any) -> list[str]:
        if {3, 6} & set(batch):
            raise ValueError
        written.extend(batch)
        return [f"done {n}" for n in batch]

    done, failed = piecemeal(range(9), write)
    assert [n for n, _ in done] == written == [0, 1, 2, 4, 5, 7, 8]
    assert dict(done)[8] == "done 8"
    assert failed == [(3, "ValueError"), (6, "ValueError")]
    assert piecemeal([], write) == ([], [])


def test_a_race_is_run_again_and_a_database_that_is_away_ends_it() -> None:
    errors: list[psycopg.Error] = [psycopg.errors.DeadlockDetected(), psycopg.errors.SerializationFailure()]

    def write(batch: Any) -> Any:
        if errors:
            raise wrapped(errors.pop())
        return batch

    assert attempt([1], write) == ([1], "")
    errors += [psycopg.errors.DeadlockDetected() for _ in range(3)]
    with pytest.raises(LedgerAway, match="40P01"):
        attempt([1], write)
    errors.append(psycopg.errors.ReadOnlySqlTransaction())
    with pytest.raises(LedgerAway, match="25006"):
        piecemeal([1, 2], write)
