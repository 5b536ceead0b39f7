"""A PostgreSQL of a test run's own: files in a temporary folder, reached over a socket there."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

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

    def database(self, *, empty: bool = False) -> str:
        """The URL of a new one; `empty`: without tables."""
        name = f"test{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else _TEMPLATE}")
        return self._url(name)

    def stop(self) -> None:
        """End it and take its files away."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _do(self, statement: str) -> None:
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
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
