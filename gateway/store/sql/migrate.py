"""Brings a database to the schema of this version (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from config.section import SettingsError
from gateway.store.sql import database


class SchemaTooNewError(SettingsError):
    """The database was migrated by a newer version than this one; the message says what to do."""


def upgrade(url: str) -> None:
    """Apply what is missing; may be called at every start, and by several machines at once.

    Raises SchemaTooNewError, SQLAlchemyError.
    """
    if pending(url):
        command.upgrade(_config(url), "head")


def pending(url: str) -> bool:
    """Whether the database is behind this version. Raises SchemaTooNewError, SQLAlchemyError."""
    engine = database.engine(url)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    steps = ScriptDirectory.from_config(_config(url))
    if current is not None and current not in {step.revision for step in steps.walk_revisions()}:
        raise SchemaTooNewError(
            f"the database has the schema of a newer version (step {current}, this one knows "
            f"{steps.get_current_head()}): run that version here, too"
        )
    return current != steps.get_current_head()


def head(url: str) -> str:
    """The name of this version's schema."""
    return str(ScriptDirectory.from_config(_config(url)).get_current_head())


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config
