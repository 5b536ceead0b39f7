"""Whether an error says that a disk is full: that passes once somebody has made room."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

_NUMBERS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_STATE: Final = "53100"  # SQLSTATE disk_full (PostgreSQL, appendix A)
_PRIMARY: Final = 0xFF  # of an extended result code of SQLite


def is_full(error: BaseException | None) -> bool:
    """Of an error or of what it was raised from, the driver's own within SQLAlchemy's included."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NUMBERS:
            return True
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & _PRIMARY == sqlite3.SQLITE_FULL:
            return True
        if getattr(error, "sqlstate", None) == _STATE:
            return True
        error = error.__cause__ or error.__context__
    return False
