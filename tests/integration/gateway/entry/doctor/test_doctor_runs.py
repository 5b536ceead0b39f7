"""The doctor on a set-up that runs: nothing to mend, and what breaks is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import insert

from config.settings import RedisSettings, Settings
from gateway.entry.doctor import checks_stores
from gateway.entry.doctor.findings import Finding, Level
from gateway.entry.valkey import place as valkey_place
from gateway.store.redis import keys
from gateway.store.sql import database, migrate, schema
from tests.integration.gateway.entry.running_up import Up


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A supervisor with its Valkey."""
    running = Up(tmp_path / "var", "api:serve")
    running.until_summary()
    yield running
    running.clean()


def by_name(settings: Settings) -> dict[str, Finding]:
    return {found.name: found for found in checks_stores.redis(settings)}


def test_redis_clock_and_deployment(up: Up) -> None:
    settings = Settings(state_dir=up.state)
    found = by_name(settings)
    assert {name: finding.level for name, finding in found.items()} == {
        "Redis": Level.OK,
        "clock": Level.OK,
        "deployment": Level.WARN,
    }
    assert found["Redis"].told.startswith("Valkey ")

    migrate.upgrade(settings.sql_url)
    assert checks_stores.database(settings).level is Level.OK
    engine = database.engine(settings.sql_url)
    with database.writing(engine) as connection:
        connection.execute(insert(schema.deployment).values(id="ours", created_at=0))
    engine.dispose()
    assert by_name(settings)["deployment"].level is Level.WARN
    for there, level in (("theirs", Level.FAIL), ("ours", Level.OK)):
        with up.redis() as client:
            client.set(keys.DEPLOYMENT, there)
        assert by_name(settings)["deployment"].level is level


def test_a_redis_that_would_lose_is_found(up: Up) -> None:
    with up.redis() as client:
        client.config_set("appendfsync", "everysec")
    found = by_name(Settings(state_dir=up.state))["Redis"]
    assert (found.level, found.told) == (Level.FAIL, "appendfsync is everysec")
    assert found.mend.startswith("CONFIG SET appendfsync always")


def test_a_wrong_password_is_found(up: Up) -> None:
    with up.redis() as client:
        client.config_set("requirepass", "secret")
    socket = valkey_place.socket_url(Settings(state_dir=up.state)).removeprefix("unix://")
    own = RedisSettings(url=f"unix://:wrong@{socket}")
    (found,) = checks_stores.redis(Settings(state_dir=up.state, redis=own))
    assert (found.level, found.mend) == (Level.FAIL, "mend them in redis.url")
    assert "wrong@" not in found.told
    with Redis(unix_socket_path=str(up.place.socket), password="secret") as client:
        client.config_set("requirepass", "")
