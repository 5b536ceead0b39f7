"""On which database a test runs: SQLite in a file of its own, or PostgreSQL from the peers.

The rule, which `make test` follows: what faces the store (FOLDERS, and of the acceptance tests FILES) runs on
both; everything else runs on SQLite. `--databases all` (`make test-all`) runs whatever touches SQL on both.
A test touches SQL when it asks for the fixture `database`, by itself or through `house` or its folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from gateway.store.sql import database, migrate, schema

FILE: Final = "undercap.db"
TESTS: Final = Path(__file__).parent
FOLDERS: Final = (
    "integration/campaigns",
    "integration/gateway",
    "integration/smpp/intake",
    "integration/smpp/sending",
)
ONLY_POSTGRESQL: Final = "integration/gateway/store/postgresql"
FILES: Final = (
    "acceptance/test_blasts.py",
    "acceptance/test_consent.py",
    "acceptance/test_durable_answers.py",
    "acceptance/test_marketing_stop.py",
    "acceptance/test_nothing_in_clear.py",
    "acceptance/test_redelivery.py",
    "acceptance/test_vault.py",
)


class Kind(StrEnum):
    """The databases that the product promises to run on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Choice(StrEnum):
    """What `--databases` takes."""

    RULE = "rule"
    ALL = "all"
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


def kinds_for(path: Path, choice: Choice, only_on: Kind | None) -> list[Kind]:
    """The databases that a test of this file runs on; `only_on`: the one that it is about."""
    if path.relative_to(TESTS).as_posix().startswith(f"{ONLY_POSTGRESQL}/"):
        only_on = Kind.POSTGRESQL
    if choice is Choice.RULE:
        chosen = list(Kind) if _faces_the_store(path) else [Kind.SQLITE]
        if only_on is not None:
            chosen = [only_on]
    elif choice is Choice.ALL:
        chosen = list(Kind)
    else:
        chosen = [Kind(choice)]
    return [kind for kind in chosen if only_on in (None, kind)]


def _faces_the_store(path: Path) -> bool:
    name = path.relative_to(TESTS).as_posix()
    return name in FILES or name.startswith(tuple(f"{folder}/" for folder in FOLDERS))


class Maker(Protocol):
    """Makes databases with today's schema, for a state directory each, and does away with them."""

    def make(self, state: Path) -> str:
        """A new one that holds no row; its URL."""

    def give_back(self, url: str) -> None:
        """Its test is over."""

    def lose(self, url: str) -> None:
        """Let it be gone, as by an accident."""


class Files:
    """SQLite where the product would keep it; copies of `template`, which are made faster than one anew."""

    def __init__(self, template: Path | None = None) -> None:
        self._template = template

    def make(self, state: Path) -> str:
        url = f"sqlite:///{state / FILE}"
        if self._template is None:
            migrate.upgrade(url)
        else:
            shutil.copyfile(self._template, state / FILE)
        return url

    def give_back(self, url: str) -> None:
        """It stays in its folder."""

    def lose(self, url: str) -> None:
        file = Path(url.removeprefix("sqlite:///"))
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.mkdir()  # nothing can be opened there


@dataclass(kw_only=True)
class Databases:
    """Those of the running tests: one for each state directory, made when it is first asked for."""

    kind: Kind
    maker: Maker
    _made: dict[Path, str] = field(default_factory=dict)

    def url(self, state: Path) -> str:
        """The URL of the database that belongs to a state directory."""
        place = state.resolve()
        if place not in self._made:
            self._made[place] = self.maker.make(place)
        return self._made[place]

    def named(self, state: Path) -> str | None:
        """The URL that settings must name for a state directory; None: the product makes its own."""
        return None if self.kind is Kind.SQLITE else self.url(state)

    def lose(self, state: Path) -> None:
        """Let it be gone, as by an accident."""
        self.maker.lose(self.url(state))

    def give_back(self, state: Path) -> None:
        """Nobody needs the one of this directory any more."""
        if (url := self._made.pop(state.resolve(), None)) is not None:
            self.maker.give_back(url)

    def give_all_back(self) -> None:
        """Nobody needs any of them."""
        for state in list(self._made):
            self.give_back(state)


@contextmanager
def write_locked(url: str) -> Iterator[None]:
    """Nobody else can write to the database meanwhile; whoever reads can."""
    engine = database.engine(url)
    with database.writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            tables = ", ".join(table.name for table in schema.metadata.sorted_tables)
            connection.exec_driver_sql(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            connection.rollback()
    engine.dispose()


# The fixture `database` puts those of the running tests here: gateways are made deep inside of tests.
current = Databases(kind=Kind.SQLITE, maker=Files())
