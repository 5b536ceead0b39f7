"""A copy of the database of one moment, and its way back: SQLite by its backup API, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from gateway.store.backups.manifest import POSTGRES, SQLITE
from gateway.store.sql import database

_TOLD: Final = 300  # characters of what a program of PostgreSQL said


class NoProgram(Exception):
    """A program of PostgreSQL is not on the PATH, or refuses; the message says what to do."""


def copy_to(url: str, folder: Path) -> str:
    """Copy into `folder`; the name of the file. Writers go on meanwhile. Raises NoProgram, sqlite3.Error."""
    file = database.sqlite_file(url)
    if file is None:
        _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={folder / POSTGRES}")
        return POSTGRES
    source = sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)
    with closing(source), closing(sqlite3.connect(folder / SQLITE)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, whole by itself
    return SQLITE


def put_back(folder: Path, name: str, url: str) -> None:
    """Put a copy into the place that `url` names, which holds none. Raises NoProgram, OSError."""
    file = database.sqlite_file(url)
    if (file is None) != (name == POSTGRES):
        raise NoProgram(f"the backup holds {name}, but sql.url names another kind of database")
    if file is None:
        _run("pg_restore", url, "--exit-on-error", "--single-transaction", "--no-owner", str(folder / name))
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, file)
        file.chmod(0o600)


def _run(program: str, url: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise NoProgram(
            f"{program} is not on the PATH: install PostgreSQL's client programs of the server's version"
        )
    parsed: URL = make_url(url)
    named = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
    done = subprocess.run(
        [found, f"--dbname={named}", *arguments],
        env=os.environ | secret,  # other users see the arguments of a process
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoProgram(f"{program}: {' '.join(done.stderr.split())[-_TOLD:]}")
