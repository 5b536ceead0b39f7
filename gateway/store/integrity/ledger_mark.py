"""The mark of its ledger in the master secret's file: a ledger that came up empty is no new deployment.

The second line of the file names the deployment whose ledger was sealed under the secret. Beside a database
that is of none, or of another one, nothing begins: an empty ledger would refuse every text for good.
"""

from __future__ import annotations

import contextlib
from typing import Final

from sqlalchemy import inspect, select

from config.section import SettingsError
from config.settings import Settings
from gateway.store.files import private_file
from gateway.store.files.private_file import OpenToOthers
from gateway.store.sql import database, schema
from gateway.store.vault import master_secret

_WORD: Final = "ledger"


class LedgerLost(SettingsError):
    """The ledger of this secret is not here; the message says what to do."""


def refuse_lost(settings: Settings) -> None:
    """Raises LedgerLost where the secret knows another ledger than this database, or the database's error."""
    marked = _marked(settings)
    if marked is None:
        return
    stands = deployment_of(settings.sql_url)
    if stands != marked:
        what = "is empty" if stands is None else "is of another deployment"
        file = master_secret.file_of(settings)
        raise LedgerLost(
            f"the database {what}, but {file} belongs to a ledger that was in use: put that ledger back "
            "(`undercap restore`, or undercap.db together with its -wal file)"
        )


def note(settings: Settings, deployment: str) -> None:
    """Mark the secret's file, if it is not marked and can be written to."""
    file = master_secret.file_of(settings)
    if settings.master_secret is not None or _marked(settings) is not None:
        return
    with contextlib.suppress(OSError, OpenToOthers):  # a secret that is only lent is not marked
        secret = private_file.read(file).split("\n", 1)[0].strip()
        private_file.replace(file, f"{secret}\n{_WORD} {deployment}\n")


def deployment_of(url: str) -> str | None:
    """The deployment whose ledger this database is; None: of none. No file is made on the way."""
    file = database.sqlite_file(url)
    if file is not None and not file.exists():
        return None
    engine = database.engine(url)
    try:
        if not inspect(engine).has_table(schema.deployment.name):
            return None
        with engine.connect() as connection:
            found: str | None = connection.scalar(select(schema.deployment.c.id))
            return found
    finally:
        engine.dispose()


def _marked(settings: Settings) -> str | None:
    if settings.master_secret is not None:
        return None
    try:
        lines = private_file.read(master_secret.file_of(settings)).splitlines()
    except (OSError, OpenToOthers):  # told by whoever reads the secret
        return None
    words = lines[1].split() if len(lines) > 1 else []
    return words[1] if len(words) == 2 and words[0] == _WORD else None
