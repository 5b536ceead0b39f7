"""A PostgreSQL of a test run's own: files in a temporary folder, reached over a socket there."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from gateway.store.sql import schema
from tests.peers.fetch import PostgresProgram

USER: Final = "undercap"
START_TIMEOUT_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.05
_TEMPLATE: Final = "filled"
_INITDB: Final = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={USER}")
# What a crash of the machine would lose is not what these tests are about.
_SETTINGS: Final = (
    "listen_addresses=",
    "fsync=off",
    "timezone=GMT",
    "log_timezone=GMT",
    "max_connections=40",
)


class PostgresServer:
    """One server with many databases; each is a copy of the one that `fill` has made."""

    def __init__(self, program: PostgresProgram) -> None:
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="uc-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._emptied: list[str] = []
        self._lost: set[str] = set()

    def start(self) -> None:
        """Make its files, start it, wait until it answers. Raises CalledProcessError, OperationalError."""
        as_user = self._not_as_root()
        data = self._folder / "data"
        with (self._folder / "log").open("wb") as log:
            subprocess.run(
                [*self._program.initdb, *_INITDB, "-D", str(data)],
                check=True,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **as_user,
            )
            settings = [word for each in _SETTINGS for word in ("-c", each)]
            self._process = subprocess.Popen(
                [*self._program.argv, "-D", str(data), "-k", str(self._folder), *settings],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **as_user,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                return self._do("SELECT 1")
            except OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_AGAIN_S)

    def template(self) -> str:
        """The URL of the database that every other one is a copy of; nobody may be connected by then."""
        self._do(f"CREATE DATABASE {_TEMPLATE}")
        return self._url(_TEMPLATE)

    def make(self, _state: Path | None = None) -> str:
        """The URL of one that holds no row."""
        return self._emptied.pop() if self._emptied else self._copy_of(_TEMPLATE)

    def make_bare(self) -> str:
        """The URL of a new one without tables."""
        return self._copy_of("template0")

    def lose(self, url: str) -> None:
        """Take a database away, whoever is connected to it."""
        self._do(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")
        self._lost.add(url)

    def give_back(self, url: str) -> None:
        """Empty a database with the template's tables for whoever asks next: four times as fast as a copy."""
        if url in self._lost:
            return
        ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
        self._do(f"{ends} '{make_url(url).database}'")
        tables = ", ".join(table.name for table in schema.metadata.sorted_tables)
        self._do(f"TRUNCATE {tables} RESTART IDENTITY", url)
        self._emptied.append(url)

    def stop(self) -> None:
        """End it, whoever is connected, and take its files away."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _copy_of(self, template: str) -> str:
        name = f"test{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name)

    def _do(self, statement: str, url: str | None = None) -> None:
        engine = create_engine(url or self._url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}@/{database}?host={self._folder}"

    def _not_as_root(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        if os.geteuid():
            return {}
        nobody = pwd.getpwnam("nobody")
        os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
