"""The doctor's checks of Redis and SQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redis import asyncio as aredis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from config.section import SettingsError
from config.settings import Settings
from gateway.entry.doctor.findings import Finding, Level, fail, good, warn
from gateway.entry.valkey.place import redis_url
from gateway.store.files import state_dir
from gateway.store.integrity import fingerprints, key_generations, ledger_mark, redis_state
from gateway.store.integrity.redis_state import Presence
from gateway.store.redis import fitness, keys
from gateway.store.redis.connect import async_client, sync_client
from gateway.store.sql import database as sql
from gateway.store.sql import migrate, schema
from gateway.store.vault import master_secret
from gateway.store.vault import sealing_keys as keys_of_seals
from gateway.store.vault.vault import Vault

SKEW_WARN_S = 1.0
SKEW_FAIL_S = 30.0


def redis(settings: Settings) -> Iterator[Finding]:
    """It answers, keeps what is acknowledged, tells our time and belongs to this deployment."""
    yield from asyncio.run(_redis(settings))


def database(settings: Settings) -> Finding:
    """It answers and has the schema of this version."""
    name = "database"
    if (lost := _lost(settings, name)) is not None:
        return lost
    try:
        if _not_made_yet(settings):
            return warn(name, "there is none yet", "`undercap up` makes it")
        if (file := sql.sqlite_file(settings.sql_url)) is not None:
            state_dir.holds(file)
        behind = migrate.pending(settings.sql_url)
    except SettingsError as err:
        told, _, mend = str(err).rpartition(": ")
        return fail(name, told, mend)
    except (SQLAlchemyError, ImportError) as err:
        return fail(name, f"does not answer: {_first_line(err)}", "mend sql.url, or the server behind it")
    if behind:
        return fail(name, "is behind this version", "`undercap up` brings it up to date")
    return good(name, "answers; its schema is of this version")


def secret(settings: Settings) -> Finding:
    """The master secret is the one under which the database was made."""
    name = "secret of the database"
    try:
        if _not_made_yet(settings) or migrate.pending(settings.sql_url):
            return good(name, "nothing to hold it against yet")
        found = master_secret.find(settings)
        engine = sql.engine(settings.sql_url, settings.sql)
        try:
            if found is None:
                fingerprints.refuse_second(engine, master_secret.file_of(settings))
            elif not fingerprints.fits(engine, Vault(found)):
                told = "the database was made under another master secret"
                return fail(name, told, "copy it from another machine, or from your backup")
        finally:
            engine.dispose()
    except SettingsError as err:
        told, _, mend = str(err).rpartition(": ")
        return fail(name, told, mend)
    except (SQLAlchemyError, ImportError):  # told by the check of the database
        return warn(name, "cannot be held against the database", "mend the database first")
    return good(name, "the master secret is the one that the database was made under")


def _lost(settings: Settings, name: str) -> Finding | None:
    """Another ledger than the secret's, or one that cannot be asked."""
    try:
        ledger_mark.refuse_lost(settings)
    except SettingsError as err:
        told, _, mend = str(err).rpartition(": ")
        return fail(name, told, mend)
    except (SQLAlchemyError, ImportError) as err:
        return fail(name, f"does not answer: {_first_line(err)}", "mend sql.url, or the server behind it")
    return None


def sealing_keys(settings: Settings) -> Finding:
    """The keys of every generation that may have sealed something are here, and private."""
    name = "sealing keys"
    file = keys_of_seals.file_of(settings)
    try:
        found = keys_of_seals.read(file)
        if not _not_made_yet(settings) and not migrate.pending(settings.sql_url):
            _refuse_lost(settings, file)
    except SettingsError as err:
        told, _, mend = str(err).rpartition(": ")
        return fail(name, told, mend)
    except (SQLAlchemyError, ImportError):  # told by the check of the database
        return warn(name, "cannot be held against the database", "mend the database first")
    told = f"generation {keys_of_seals.sealing_now(found)} seals"
    return good(name, f"{told}, {file} is private" if found else f"{told}: the master secret alone")


def _refuse_lost(settings: Settings, file: Path) -> None:
    engine = sql.engine(settings.sql_url)
    try:
        key_generations.refuse_lost(engine, file)
    finally:
        engine.dispose()


def skew(here_s: float, there_s: float) -> Finding:
    """Pure: our clock and Redis's at one moment, seconds since the epoch."""
    name, apart_s = "clock", abs(here_s - there_s)
    told = f"{apart_s:.1f} s apart from Redis"
    if apart_s >= SKEW_FAIL_S:
        return fail(name, told, "set the clocks: run an NTP client on both machines")
    if apart_s >= SKEW_WARN_S:
        return warn(name, told, "run an NTP client on both machines")
    return good(name, told)


async def _redis(settings: Settings) -> list[Finding]:
    async with async_client(redis_url(settings), settings.redis) as client:
        try:
            found = list(_judged(await fitness.assess(client, settings.redis)))
            if found[0].level is Level.FAIL:  # the rest may not even be asked
                return found
            return [*found, await _clock(client), await _deployment(client, settings)]
        except (RedisError, OSError) as err:
            told = f"does not answer: {_first_line(err)}"
            if settings.redis.url:
                return [fail("Redis", told, "start it, or mend redis.url")]
            return [warn("Redis", "the embedded Valkey does not run", "`undercap up` starts it")]


def _judged(found: fitness.Assessment) -> Iterator[Finding]:
    if not found.faults:
        yield good("Redis", f"{found.server} keeps what is acknowledged")
    for fault in found.faults:
        told, _, mend = fault.partition(": ")
        yield fail("Redis", told, mend)
    for warning in found.warnings:
        told, _, mend = warning.partition("; ")
        yield warn("Redis", told, mend)


async def _clock(client: aredis.Redis) -> Finding:
    before = time.time()
    seconds, micros = await client.time()
    return skew((before + time.time()) / 2, seconds + micros / 1e6)


async def _deployment(client: aredis.Redis, settings: Settings) -> Finding:
    name = "deployment"
    there: Any = await client.get(keys.DEPLOYMENT)
    ours = None if _not_made_yet(settings) else await asyncio.to_thread(_deployment_in_sql, settings)
    if ours is None:
        return warn(name, "nothing has run here yet", "`undercap up` begins it")
    if there is None:
        return warn(name, "Redis does not know it yet, or was emptied", "if it was: `undercap rebuild`")
    if there.decode() != ours:
        return fail(name, "Redis is of another deployment", "mend redis.url or sql.url")
    standing = await asyncio.to_thread(_standing, settings, ours)
    if standing is None:  # told by the check of the database
        return warn(name, "cannot be held against the database", "mend the database first")
    if standing is not Presence.WHOLE:
        return fail(name, f"Redis is {standing.value}", standing.mend)
    return good(name, "Redis and the database belong together")


def _standing(settings: Settings, deployment: str) -> Presence | None:
    engine, client = sql.engine(settings.sql_url), sync_client(redis_url(settings), settings.redis)
    try:
        return redis_state.look(engine, client, deployment).presence
    except SQLAlchemyError:
        return None
    finally:
        client.close()
        engine.dispose()


def _deployment_in_sql(settings: Settings) -> str | None:
    engine = sql.engine(settings.sql_url)
    try:
        with engine.connect() as connection:
            return connection.scalar(select(schema.deployment.c.id))
    except SQLAlchemyError:  # told by the check of the database
        return None
    finally:
        engine.dispose()


def _not_made_yet(settings: Settings) -> bool:
    """SQLite would make its file on the way, and a look must not leave one."""
    try:
        url = make_url(settings.sql_url)
    except ArgumentError:
        return False
    if url.get_backend_name() != "sqlite" or not url.database:
        return False
    try:
        return not Path(url.database).exists()
    except OSError:  # not ours to look at
        return False


def _first_line(err: Exception) -> str:
    return (str(err) or type(err).__name__).splitlines()[0]
