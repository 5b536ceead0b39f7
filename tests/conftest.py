"""What several rings of tests share: the peers, and the databases that they run on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.store.sql import migrate
from tests import databases, strict_sql
from tests.databases import Choice, Databases, Files, Kind, Maker
from tests.peers import fetch
from tests.peers.postgres import PostgresServer
from tests.peers.smsc import Program, SmscPeer

P = TypeVar("P", bound=Program)

SMSCS = {"smpp34": fetch.smpp34_smsc, "node smpp": fetch.node_smsc, "Net::SMPP": fetch.perl_smsc}
ASTERISKS = {release: partial(fetch.asterisk, release) for release in reversed(fetch.ASTERISK_SUITES)}


@pytest.fixture(scope="session", autouse=True)
def strict_sqlite() -> Iterator[None]:
    """What PostgreSQL would refuse, SQLite refuses, too, in every test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", strict_sql.strict(migrate.upgrade))
        yield


def peer_of(kind: Mapping[str, Callable[[], P]], name: str) -> P:
    """A peer by name. A missing one is skipped by name; under CI=true only if another of its kind is here."""
    try:
        return kind[name]()
    except fetch.PeerMissingError as missing:
        complaint = f"peer missing: {missing}"
    if os.environ.get("CI") == "true" and not any(_there(kind, other) for other in kind if other != name):
        pytest.fail(f"{complaint}; and nothing stands in for it")
    pytest.skip(complaint)


def smsc_program(name: str) -> Program:
    """The SMSC of this name, or a skip."""
    return peer_of(SMSCS, name)


def any_smsc() -> Program:
    """Whichever SMSC can be had: for what does not depend on its kind."""
    return smsc_program(_first(SMSCS))


def any_asterisk() -> fetch.AsteriskProgram:
    """Whichever Asterisk can be had, the newest first: for what does not depend on its version."""
    return peer_of(ASTERISKS, _first(ASTERISKS))


@pytest.fixture(
    scope="session", params=sorted(ASTERISKS) if os.environ.get("ASTERISKS") == "all" else ["any"]
)
def asterisk_program(request: pytest.FixtureRequest) -> fetch.AsteriskProgram:
    """An Asterisk; with ASTERISKS=all (`make test-asterisks`) each in turn."""
    return any_asterisk() if request.param == "any" else peer_of(ASTERISKS, request.param)


def sipp_program() -> Program:
    """SIPp, or a skip; nothing stands in for it."""
    return peer_of({"SIPp": fetch.sipp}, "SIPp")


def kamailio_program() -> fetch.KamailioProgram:
    """The SIP proxy, or a skip; nothing stands in for it."""
    return peer_of({"Kamailio": fetch.kamailio}, "Kamailio")


def postgres_program() -> fetch.PostgresProgram:
    """PostgreSQL, or a skip; nothing stands in for it."""
    return peer_of({"PostgreSQL": fetch.postgres}, "PostgreSQL")


def _first(kind: Mapping[str, Callable[[], Program]]) -> str:
    return next((name for name in kind if _there(kind, name)), next(iter(kind)))


def _there(kind: Mapping[str, Callable[[], Program]], name: str) -> bool:
    try:
        kind[name]()
    except fetch.PeerMissingError:
        return False
    return True


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--databases", choices=list(Choice), default=Choice.RULE, help="see tests/databases.py")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only_on(kind): it is about this database alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that touches SQL, on the databases that the rule names for it."""
    if "database" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker("only_on")
    only_on = None if marked is None else Kind(marked.args[0])
    choice = Choice(metafunc.config.getoption("databases"))
    kinds = databases.kinds_for(metafunc.definition.path, choice, only_on)
    if kinds != [Kind.SQLITE]:
        metafunc.parametrize("database", kinds, indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server whose databases come with today's schema."""
    server = PostgresServer(postgres_program())
    try:
        server.start()
        migrate.upgrade(server.template())
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Files that come with today's schema."""
    folder = tmp_path_factory.mktemp("sqlite")
    Files().make(folder)
    return Files(folder / databases.FILE)


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """The databases of these tests; whatever gateway they make is on one of them."""
    kind = getattr(request, "param", Kind.SQLITE)
    maker: Maker = request.getfixturevalue("postgres" if kind is Kind.POSTGRESQL else "sqlite")
    before, databases.current = databases.current, Databases(kind=kind, maker=maker)
    yield databases.current
    databases.current.give_all_back()
    databases.current = before


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for one test whose path is short, for Unix sockets below it."""
    with tempfile.TemporaryDirectory(prefix="uc-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@pytest.fixture(params=sorted(SMSCS))
async def smsc(request: pytest.FixtureRequest) -> AsyncIterator[SmscPeer]:
    """Each SMSC peer in turn, listening on a free port."""
    peer = SmscPeer(smsc_program(request.param))
    await peer.start()
    yield peer
    await peer.stop()
