"""Connections to PostgreSQL: bounded as the settings say; what the URL says of the same wins."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from config.settings import SqlSettings
from gateway.store.sql import database
from tests.peers.postgres import PostgresServer


def shown(url: str, bounds: SqlSettings = database.USUAL) -> dict[str, str]:
    """What the server says of a connection."""
    engine = database.engine(url, bounds)
    with engine.connect() as connection:
        found = {n: str(connection.scalar(text(f"SHOW {n}"))) for n in ("statement_timeout", "lock_timeout")}
    engine.dispose()
    return found


def test_statements_and_locks_have_an_end(postgres: PostgresServer) -> None:
    url = postgres.make()
    assert shown(url) == {"statement_timeout": "1min", "lock_timeout": "20s"}
    assert shown(url, database.PATIENT) == {"statement_timeout": "0", "lock_timeout": "0"}
    own = f"{url}&options=-c%20statement_timeout%3D7000"
    assert shown(own) == {"statement_timeout": "7s", "lock_timeout": "20s"}
    engine = database.engine(url, SqlSettings(statement_timeout_s=0.2))
    with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(30)"))
    engine.dispose()


def test_a_vanished_server_is_noticed_within_seconds(postgres: PostgresServer) -> None:
    engine = database.engine(f"{postgres.make()}&keepalives_count=9")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
    engine.dispose()
    wanted = {"connect_timeout": "5", "keepalives_idle": "5", "keepalives_interval": "2"}
    assert wanted | {"keepalives_count": "9", "tcp_user_timeout": "10000"} == {
        name: told[name] for name in (*wanted, "keepalives_count", "tcp_user_timeout")
    }


@pytest.mark.parametrize(("threshold", "prepared"), [(0, 0), (2, 1)])
def test_statements_are_not_prepared_for_a_pooler(
    postgres: PostgresServer, threshold: int, prepared: int
) -> None:
    engine = database.engine(postgres.make(), SqlSettings(prepare_threshold=threshold))
    with engine.connect() as connection:
        for _ in range(10):
            connection.execute(text("SELECT count(*) FROM firm"))
        kept = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM firm%'")
        assert connection.scalar(kept) == prepared
    engine.dispose()


def test_what_walks_whole_tables_is_not_cut_off(postgres: PostgresServer) -> None:
    engine = database.engine(postgres.make(), SqlSettings(statement_timeout_s=0.2))
    database.be_patient(engine)
    for _ in range(2):  # in each transaction anew
        with engine.connect() as connection:
            connection.execution_options(yield_per=10).execute(text("SELECT pg_sleep(0.5)")).all()
        with database.writing(engine) as connection:
            connection.execute(text("SELECT pg_sleep(0.5)"))
    engine.dispose()
