"""What an error of the database is the fault of: the database, a race, or the row that it was to write.

PostgreSQL says it by SQLSTATE (its appendix A), SQLite by its result code (sqlite.org/rescode.html).
Where neither says anything, the driver's kind of exception does.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft


class Blame(StrEnum):
    """Whose fault an error is."""

    AWAY = "away"  # the database takes nothing now, whatever it is: wait
    AGAIN = "again"  # a race, or a connection that is no more what it was: the same may pass at once
    ROW = "row"  # what was to be written, or how


class LedgerAway(Exception):
    """The database did not take it, and would take nothing else now; everything stays where it waits."""


# Classes of SQLSTATE, then single states, which count more.
_AWAY_CLASSES: Final = (
    "08",  # connections, and a pooler that lost the protocol
    "25",  # read-only: not promoted yet, or a provider's guard; a transaction in no state to go on
    "28",  # the password was changed
    "3D",  # no such database
    "53",  # full: disk, memory, connections
    "55",  # not in the state for it; a lock that did not come in time
    "57",  # shutting down, starting up, cancelled by a time-out
    "58",  # its own files
    "F0",
    "XX",  # an error within: damaged, or a bug of it
)
_AGAIN_CLASSES: Final = ("40",)  # serialisation, deadlock
_STATES: Final = {
    "26000": Blame.AGAIN,  # a pooler gave another connection: no such prepared statement …
    "42P05": Blame.AGAIN,  # … or there is one of that name
    "34000": Blame.AGAIN,  # the same of a cursor
    "0A000": Blame.AGAIN,  # a cached plan of before a migration
    "42501": Blame.AWAY,  # no right to write: a role of another database or a replica's
    "42P01": Blame.AWAY,  # no such table: the schema of another version
    "42703": Blame.AWAY,  # no such column: the same
}
_AWAY_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOTADB,
    }
)
_AGAIN_CODES: Final = frozenset({sqlite3.SQLITE_SCHEMA})
_PRIMARY: Final = 0xFF  # of an extended result code


def blame(error: BaseException) -> Blame:
    """Whose fault it is. Total: what is no error of a database is the row's, unless it is the machine's."""
    if isinstance(error, LedgerAway | NoConnectionLeft | PendingRollbackError | OSError | MemoryError):
        return Blame.AWAY
    if not isinstance(error, DBAPIError):
        return Blame.ROW
    if error.connection_invalidated:
        return Blame.AWAY
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return _of_state(state)
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _of_code(code & _PRIMARY, str(error.orig))
    return Blame.AWAY if isinstance(error, OperationalError | InterfaceError) else Blame.ROW


def word(error: BaseException) -> str:
    """An error in a word or two for logs and people: its kind and code, and nothing of what it was about."""
    orig = getattr(error, "orig", None)
    code = getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None) or ""
    return f"{type(orig or error).__name__} {code}".rstrip()


def _of_state(state: str) -> Blame:
    if state in _STATES:
        return _STATES[state]
    if state.startswith(_AWAY_CLASSES):
        return Blame.AWAY
    return Blame.AGAIN if state.startswith(_AGAIN_CLASSES) else Blame.ROW


def _of_code(code: int, told: str) -> Blame:
    if code in _AWAY_CODES:
        return Blame.AWAY
    if code == sqlite3.SQLITE_ERROR and told.startswith("no such"):  # table, column: another version's schema
        return Blame.AWAY
    return Blame.AGAIN if code in _AGAIN_CODES else Blame.ROW
