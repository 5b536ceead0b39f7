"""`undercap migrate`: the database brought to this version's schema, by hand."""

from __future__ import annotations

import sys

from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from gateway.entry.process import Exit
from gateway.store import ledger_mark, migrate, state_dir


def run(settings: Settings) -> int:
    """Apply what is missing; may be repeated. Exit code."""
    state_dir.make(settings.state_dir)
    try:
        ledger_mark.refuse_lost(settings)
        migrate.upgrade(settings.sql_url)
    except SQLAlchemyError as err:
        sys.stderr.write(f"sql: the database does not answer ({type(err).__name__})\n")
        return Exit.FAILED
    sys.stdout.write("the database is up to date\n")
    return Exit.OK
