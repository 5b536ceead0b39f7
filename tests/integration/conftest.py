"""One Valkey for the session, emptied for each test; SQL and vault of each test's own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from gateway.entry.cli import cli
from tests.databases import Databases
from tests.integration.house import House, Server

Undercap = Callable[..., Result]


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """A Valkey in a short-named directory: a socket's path may hold 107 octets."""
    with tempfile.TemporaryDirectory(prefix="uc-") as name:
        found = Server(Path(name))
        found.start()
        yield found
        found.kill()


@pytest.fixture
async def house(shared_server: Server, tmp_path: Path, database: Databases) -> AsyncIterator[House]:
    """An empty gateway."""
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        client.script_flush()
    made = House(server_url=shared_server.url, state=tmp_path)
    yield made
    await made.close()
    database.give_back(tmp_path)


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A Valkey that a test may kill, restore and start again."""
    with tempfile.TemporaryDirectory(prefix="uc-") as name:
        found = Server(Path(name))
        found.start()
        yield found
        found.kill()


@pytest.fixture
def undercap(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Undercap:
    """Types a command, with `said` on its standard input; the house is in the environment."""
    monkeypatch.setenv("UNDERCAP_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("UNDERCAP_REDIS__URL", house.server_url)
    monkeypatch.setenv("UNDERCAP_SQL__URL", house.sql_url)
    secret = tmp_path / "master"
    secret.write_text(bytes(range(32)).hex())
    secret.chmod(0o600)
    monkeypatch.setenv("UNDERCAP_MASTER_SECRET_FILE", str(secret))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def typed(*words: str, fails: int = 0, said: str | None = None) -> Result:
        done = CliRunner().invoke(cli, list(words), input=said)
        assert fails == done.exit_code, done.output
        return done

    return typed
