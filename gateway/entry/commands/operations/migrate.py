"""`undercap migrate`: the database brought to this version's schema, by hand."""

from __future__ import annotations

import sys

from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from gateway.entry.process.process import Exit
from gateway.store.files import state_dir
from gateway.store.files.full_disk import is_full
from gateway.store.integrity import ledger_mark
from gateway.store.sql import database, migrate
from gateway.store.sql.faults import word


def run(settings: Settings) -> int:
    """Apply what is missing; may be repeated. Exit code."""
    state_dir.make(settings.state_dir)
    file = database.sqlite_file(settings.sql_url)
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
