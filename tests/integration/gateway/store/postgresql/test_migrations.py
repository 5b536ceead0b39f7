"""The migrations on PostgreSQL: they make the schema, and carry what stood before from step to step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from gateway.store.sql import database, migrate, schema
from tests.peers.postgres import PostgresServer

BEFORE_ERASURE, BEFORE_CHANNELS = "0004", "0005"


def test_they_make_the_schema(postgres: PostgresServer) -> None:
    engine = database.engine(postgres.make())
    assert differences(engine) == []
    engine.dispose()


def test_what_stood_before_stays(postgres: PostgresServer) -> None:
    """Persons and their consent from before erasure, channels and blasts; there and back again."""
    url = postgres.make_bare()
    config = migrate._config(url)
    engine = database.engine(url)
    command.upgrade(config, BEFORE_ERASURE)
    run(
        engine,
        "INSERT INTO firm (id, slug, name, created_at) VALUES (1, 'acme', 'Acme', 0)",
        "INSERT INTO shopper (id, key, number, created_at) VALUES (1, 'k', 'n', 0)",
        "INSERT INTO consent_entry (firm_id, shopper_id, channel, state, how, message_id, said_at)"
        " VALUES (1, 1, 'sms', 'given', 'sms', 'm1', 5)",
    )
    command.upgrade(config, BEFORE_CHANNELS)
    run(engine, "INSERT INTO suppression (firm_id, shopper_key, said_at) VALUES (1, 'gone', 7)")
    for _ in range(2):
        migrate.upgrade(url)
        assert differences(engine) == []
        rows = "SELECT purpose, wording, actor, said_at FROM consent_entry"
        assert fetched(engine, rows) == [("marketing", None, "shopper", 5)]
        assert fetched(engine, "SELECT erased_at FROM shopper") == [(None,)]
        assert fetched(engine, "SELECT shopper_key, split_part(word, ':', 1) FROM suppression") == [
            ("gone", "out")
        ]
        command.downgrade(config, BEFORE_CHANNELS)
    engine.dispose()


def differences(engine: Engine) -> list[object]:
    """Between the database and the schema that the code expects."""
    options = {"compare_type": True, "compare_server_default": True}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, schema.metadata))


def run(engine: Engine, *statements: str) -> None:
    with database.writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def fetched(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_machines_that_migrate_at_once_all_succeed(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.make_bare()
    environment = os.environ | {"UNDERCAP_SQL__URL": url, "UNDERCAP_STATE_DIR": str(tmp_path)}
    command_ = [sys.executable, "-m", "gateway.entry.cli", "migrate"]
    started = [
        subprocess.Popen(command_, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(3)
    ]
    told = [process.communicate()[0].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    engine = database.engine(url)
    assert differences(engine) == []
    engine.dispose()
