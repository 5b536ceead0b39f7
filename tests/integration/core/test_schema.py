"""The migrations make the schema that the code expects, and no other."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from gateway.store import migrate, schema, sql


def test_migrations_make_the_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    assert migrate.pending(url)
    migrate.upgrade(url)
    migrate.upgrade(url)
    engine = sql.engine(url)

    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
        tables = set(inspect(connection).get_table_names())
    engine.dispose()

    assert differences == []
    assert tables == {*schema.metadata.tables, "alembic_version"}
    assert not migrate.pending(url)


def test_commits_are_on_disk(tmp_path: Path) -> None:
    engine = sql.engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()

    assert found == ["wal", 2, 1]
