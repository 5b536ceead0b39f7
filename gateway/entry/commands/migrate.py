"""`undercap migrate`: the database brought to this version's schema, by hand."""

from __future__ import annotations

import sys

from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from gateway.entry.process import Exit
from gateway.store import ledger_mark, migrate, sql, state_dir
from gateway.store.full_disk import is_full
from gateway.store.sql_faults import word


def run(settings: Settings) -> int:
    """Apply what is missing; may be repeated. Exit code."""
    state_dir.make(settings.state_dir)
    file = sql.sqlite_file(settings.sql_url)
    if file is not None:
        state_dir.holds(file)
    try:
        ledger_mark.refuse_lost(settings)
        migrate.upgrade(settings.sql_url)
    except SQLAlchemyError as err:
        if is_full(err):
            raise
        sys.stderr.write(f"sql: the database does not answer ({word(err)})\n")
        return Exit.FAILED
    sys.stdout.write("the database is up to date\n")
    return Exit.OK
