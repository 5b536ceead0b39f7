"""The migrations make the schema that the code expects, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import String, inspect, text

from config.settings import Settings
from gateway.entry.doctor import checks_stores
from gateway.entry.doctor.findings import Level
from gateway.store.sql import database, migrate, schema


def test_migrations_make_the_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    assert migrate.pending(url)
    migrate.upgrade(url)
    migrate.upgrade(url)
    engine = database.engine(url)

    with engine.connect() as connection:
        options = {"compare_type": other_kind, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
        tables = set(inspect(connection).get_table_names())
    engine.dispose()

    assert differences == []
    assert tables == {*schema.metadata.tables, "alembic_version"}
    assert not migrate.pending(url)


def other_kind(_context: Any, _column: Any, _meant: Any, stands: Any, means: Any) -> bool | None:
    """Texts differ in their width alone, which SQLite does not have; the test of PostgreSQL compares it."""
    return False if isinstance(stands, String) and isinstance(means, String) else None


def test_commits_are_on_disk(tmp_path: Path) -> None:
    engine = database.engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()

    assert found == ["wal", 2, 1]


def test_aliases_of_before_stay_and_their_counters_never_come_again(tmp_path: Path) -> None:
    """One that was deleted before the table was made anew does not come again, either."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    command.upgrade(migrate._config(url), "0002")
    engine = database.engine(url)
    with database.writing(engine) as connection:
        for id_ in (1, 2, 3):
            connection.execute(
                text("INSERT INTO shopper (id, key, number, created_at) VALUES (:id, :id, '', 0)"),
                {"id": id_},
            )
            connection.execute(
                text("INSERT INTO alias (shopper_id, created_at) VALUES (:id, 5)"), {"id": id_}
            )
        connection.execute(text("DELETE FROM alias WHERE id = 3"))

    migrate.upgrade(url)

    with database.writing(engine) as connection:
        connection.execute(text("INSERT INTO alias (shopper_id, created_at) VALUES (3, 6)"))
        connection.execute(text("DELETE FROM alias WHERE id = 4"))
        connection.execute(text("INSERT INTO alias (shopper_id, created_at) VALUES (3, 7)"))
        rows = connection.execute(text("SELECT id, shopper_id, created_at, ends_at FROM alias")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [(1, 1, 5, None), (2, 2, 5, None), (5, 3, 7, None)]


def test_a_newer_schema_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate.upgrade(url)
    engine = database.engine(url)
    with database.writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    for ask in (migrate.pending, migrate.upgrade):
        with pytest.raises(migrate.SchemaTooNewError, match=r"of a newer version \(step 9999, this"):
            ask(url)
    monkeypatch.setenv("UNDERCAP_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("UNDERCAP_SQL__URL", url)
    found = checks_stores.database(Settings())
    assert (found.level, found.mend) == (Level.FAIL, "run that version here, too")
