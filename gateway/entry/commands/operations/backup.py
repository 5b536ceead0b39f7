"""`undercap backup`: everything that a deployment cannot do without, of one moment, while it runs.

Redis is copied first, then SQL. SQL is then the later one: what it has settled meanwhile is put into Redis by
the rebuild that follows a restore, and what Redis holds and SQL had not settled yet is settled from the copy.
The other way round an outbox would lack what had been settled in between, and the copy of SQL as well.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import sys
import time
from importlib.metadata import version
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config import settings as settings_module
from config.settings import Settings
from gateway.entry.process.process import Exit
from gateway.entry.wiring.backing import Backing, open_backing
from gateway.store.backups import manifest, redis_copy, sql_copy
from gateway.store.backups.manifest import Manifest
from gateway.store.files import private_file
from gateway.store.integrity import watermark
from gateway.store.sql import migrate
from gateway.store.vault import master_secret, sealing_keys


class Refused(Exception):
    """No backup was made; the message says why."""


def run(settings: Settings, target: Path) -> int:
    """Write the backup into the new folder `target`. Exit code."""
    os.umask(0o077)
    if target.exists():
        sys.stderr.write(f"{target}: is there already: name a new folder\n")
        return Exit.FAILED
    draft = target.absolute().with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}")
    backing = open_backing(settings)
    try:
        draft.mkdir(mode=0o700)
        _write(backing, draft)
        draft.rename(target)
        manifest.sync(draft.parent)
    except (Refused, redis_copy.NoCopy, sql_copy.NoProgram) as err:
        return _failed(str(err))
    except RedisError as err:
        return _failed(f"Redis does not answer ({type(err).__name__}): `undercap backup` copies what runs")
    except (SQLAlchemyError, sqlite3.Error) as err:
        return _failed(f"the database cannot be copied ({type(err).__name__})")
    except OSError as err:
        return _failed(f"{target}: {err.strerror}")
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        backing.engine.dispose()
    sys.stdout.write(f"{target.absolute()}: a whole backup, with the secrets: keep it as safe as those.\n")
    if settings.master_secret is not None:
        sys.stdout.write("The master secret stands in the settings and is not in it: keep it yourself.\n")
    return Exit.OK


def _failed(told: str) -> int:
    sys.stderr.write(f"no backup was made: {told}\n")
    return Exit.FAILED


def _write(backing: Backing, folder: Path) -> None:
    settings = backing.settings
    begun = int(time.time() * 1000)
    kept = _secrets(settings)
    redis_copy.copy_to(backing.redis, folder / manifest.REDIS)
    sql_name = sql_copy.copy_to(settings.sql_url, folder)
    if kept != _secrets(settings):
        raise Refused("the sealing keys were changed meanwhile: try again")
    for name, text in kept.items():
        (folder / name).write_text(text, encoding="ascii")
    with backing.engine.connect() as connection:
        marks = watermark.marks(connection)
    named = settings_module.default_file()
    names = (manifest.REDIS, sql_name, *kept)
    manifest.write(
        folder,
        Manifest(
            deployment=backing.deployment,
            taken_at=begun,
            version=version("undercap"),
            schema=migrate.head(settings.sql_url),
            settings_file=str(named.absolute()) if named else "",
            settled={str(firm): mark.outbox_id for firm, mark in marks.items()},
            files={name: manifest.digest(folder / name) for name in names},
        ),
    )


def _secrets(settings: Settings) -> dict[str, str]:
    """The text of each file of secrets that there is."""
    files = {manifest.SEALING_KEYS: sealing_keys.file_of(settings)}
    if settings.master_secret is None:
        files[manifest.SECRET] = master_secret.file_of(settings)
    return {name: private_file.read(file) for name, file in files.items() if file.exists()}
