"""`undercap restore`: a backup put into a state directory that holds nothing, and Redis rebuilt from it.

The master secret comes last: until then nothing begins there. Blasts that were not over end as cancelled,
since nobody knows whom they have reached since; their texts that may have left end as unknown.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.section import SettingsError
from config.settings import Settings
from gateway.entry.commands.operations import rebuild
from gateway.entry.process.process import Exit
from gateway.entry.supervision import up_lock
from gateway.entry.valkey import embedded, seeded
from gateway.store.backups import manifest, sql_copy
from gateway.store.backups.manifest import BadBackup, Manifest
from gateway.store.files import private_file, state_dir
from gateway.store.integrity import ledger_mark
from gateway.store.offers import recipients
from gateway.store.redis import keys
from gateway.store.redis.connect import sync_client
from gateway.store.sql import database as sql
from gateway.store.sql import migrate
from gateway.store.vault import master_secret, sealing_keys

WHY: Final = "restored"
_STOP_S: Final = 10.0


class Refused(Exception):
    """Nothing was changed; the message says what to do."""


def run(settings: Settings, source: Path, *, replace: bool = False) -> int:
    """Restore the backup in `source`. `replace`: what stands is moved aside. Exit code."""
    os.umask(0o077)
    try:
        held = manifest.read(source)
        state_dir.make(settings.state_dir)
        if up_lock.in_use(settings.state_dir):
            raise Refused(f"`undercap up` works on {settings.state_dir.resolve()}: stop it first")
        _make_room(settings, replace=replace)
        _put(settings, source, held)
        code = asyncio.run(_rebuilt(settings))
    except (Refused, BadBackup, sql_copy.NoProgram, SettingsError) as err:
        return _failed(str(err))
    except embedded.ValkeyEndedError as err:
        return _failed(f"valkey: {err}")
    except (SQLAlchemyError, RedisError) as err:
        return _failed(f"{type(err).__name__}; try again with --replace")
    except OSError as err:
        return _failed(f"{err.filename or settings.state_dir}: {err.strerror}")
    finally:
        sql.fold(settings.sql_url)
    if code == Exit.OK:
        _tell(settings, held)
    return code


def _failed(told: str) -> int:
    sys.stderr.write(f"not restored: {told}\n")
    return Exit.FAILED


def _tell(settings: Settings, held: Manifest) -> None:
    taken = datetime.fromtimestamp(held.taken_at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    sys.stdout.write(
        f"Restored as of {taken} UTC, into {settings.state_dir.resolve()}.\n"
        "Next: `undercap up`, then `undercap doctor`. Blasts that were not over are cancelled. What was\n"
        "done after that moment is not there: tell refusals again (`undercap consent import`), and make\n"
        "code series that were made since again, in the same order, before any new one.\n"
    )


def _make_room(settings: Settings, *, replace: bool) -> None:
    """Refuse a state that was lived in, or move it aside."""
    database = sql.sqlite_file(settings.sql_url)
    logs = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")] if database else []
    own = [master_secret.file_of(settings), sealing_keys.file_of(settings)]
    stand = [file for file in (*own, *logs, embedded.place(settings).directory) if file.exists()]
    if database is None and ledger_mark.deployment_of(settings.sql_url) is not None:
        raise Refused("the database that sql.url names holds a ledger: name an empty one")
    if not stand:
        return
    if not replace:
        raise Refused(f"{stand[0]} stands there: name an empty state_dir, or move all aside with --replace")
    aside = settings.state_dir / f"before-restore-{time.time_ns()}"
    aside.mkdir(mode=0o700)
    for file in stand:
        shutil.move(file, aside / file.name)


def _put(settings: Settings, source: Path, held: Manifest) -> None:
    name = next(each for each in held.files if each in (manifest.SQLITE, manifest.POSTGRES))
    if not settings.redis.url:
        seeded.seed(embedded.place(settings), source / manifest.REDIS)
    sql_copy.put_back(source, name, settings.sql_url)
    migrate.upgrade(settings.sql_url)
    _end_blasts(settings)
    for each, file in (
        (manifest.SEALING_KEYS, sealing_keys.file_of(settings)),
        (manifest.SECRET, master_secret.file_of(settings)),
    ):
        if each in held.files:
            private_file.replace(file, (source / each).read_text(encoding="ascii"))


def _end_blasts(settings: Settings) -> None:
    engine = sql.engine(settings.sql_url)
    try:
        recipients.end_blasts(engine, WHY, int(time.time() * 1000))
    finally:
        engine.dispose()


async def _rebuilt(settings: Settings) -> int:
    """Rebuild Redis from SQL: the embedded one runs for as long; another one is the operator's."""
    if settings.redis.url:
        return await asyncio.to_thread(rebuild.run, settings)
    where = embedded.place(settings)
    running = await embedded.start(where, maxmemory=settings.redis.embedded_maxmemory)
    try:
        await asyncio.to_thread(_close_firms, settings)
        return await asyncio.to_thread(rebuild.run, settings)
    finally:
        running.terminate()
        try:
            await asyncio.wait_for(running.ended(), _STOP_S)
        except TimeoutError:
            running.kill()


def _close_firms(settings: Settings) -> None:
    """Nothing is decided by the copy before it was rebuilt, should that be cut off."""
    redis = sync_client(embedded.socket_url(settings), settings.redis)
    for name in redis.scan_iter(keys.of_firms("gate"), count=5000):
        redis.delete(name)
    redis.close()
