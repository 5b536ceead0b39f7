"""The embedded Valkey: started, found again and taken over, watched, stopped.

It outlives a supervisor that is killed, and the next one goes on with it. Two servers on one append-only
file would destroy it, so that the server inherits a locked descriptor: while any process holds it, none is
started unless the holder is known to be only the orphan of a dead server (a forked file rewrite).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from redis import asyncio as aredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from config.section import SettingsError
from gateway.entry.process.ends import End
from gateway.entry.valkey import place as valkey_place
from gateway.entry.valkey import program as valkey_program
from gateway.entry.valkey.end import LEAST_FREE, disk_full, read_tail, why_valkey_ended
from gateway.entry.valkey.place import Place, place, redis_url, socket_url
from gateway.store.files.full_disk import is_full
from gateway.store.redis import fitness

__all__ = ["Place", "Running", "ValkeyEndedError", "place", "redis_url", "socket_url", "start"]

LOOK_AGAIN_S = 0.05
HOLDER_PATIENCE_S = 10.0  # for a server that starts, or ends, just now
ORPHAN_PATIENCE_S = 1.0  # for one that has not written its process id yet
ANSWER_WITHIN_S = 5.0


class ValkeyEndedError(Exception):
    """The embedded Valkey ended before it was ready."""

    def __init__(self, end: End) -> None:
        super().__init__(end.reason)
        self.end = end


@dataclass(kw_only=True, slots=True)
class Running:
    """An embedded Valkey that answers."""

    place: Place
    pid: int
    process: asyncio.subprocess.Process | None  # None: taken over from a supervisor that died
    log_since: int  # byte of its log at which this run begins

    async def ended(self) -> End:
        """Wait until it ends, and say why."""
        code: int | None = None
        if self.process is not None:
            code = await self.process.wait()
        else:
            await _until_closed(self.place)
        return _end_of(self.place, self.log_since, code)

    async def ready(self) -> dict[str, str]:
        """It answers already; it serves no address that an operator opens."""
        return {}

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def reload(self) -> None:
        """It reads its settings only at its start."""

    def kill(self) -> None:
        """End it: every acknowledged write is on disk."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


async def start(where: Place, *, maxmemory: str = "0") -> Running:
    """The Valkey of this place, answering: taken over if it runs, else started.

    Raises ValkeyEndedError if it ended while starting; SettingsError if there is no program for it, another
    server uses its socket, or one of ours hangs.
    """
    try:
        valkey_place.prepare(where, maxmemory=maxmemory)
    except SettingsError as err:
        if is_full(err):
            raise ValkeyEndedError(disk_full(where.directory)) from err
        raise
    begun = time.monotonic()
    while True:
        with _try_lock(where) as lock:
            found = await _answering(where)
            if found is not None:
                return found
            if lock is not None or _only_an_orphan(where, time.monotonic() - begun):
                return await _launch(where, lock)
        await asyncio.sleep(LOOK_AGAIN_S)


async def _launch(where: Place, lock: int | None) -> Running:
    program = await asyncio.to_thread(valkey_program.find)
    if shutil.disk_usage(where.directory).free < LEAST_FREE:  # it would end at its first write
        raise ValkeyEndedError(_end_of(where, _log_size(where), None))
    log_since = _log_size(where)
    with where.log.open("ab") as said:  # faults of the configuration go to standard error
        process = await asyncio.create_subprocess_exec(
            program.path,
            where.config,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=() if lock is None else (lock,),
            start_new_session=True,  # a Ctrl-C in the terminal must not end it before the others
            umask=0o077,
        )
    try:
        while not await _ready(where):  # loading a large file takes a while; only its end ends the wait
            if process.returncode is not None:
                raise ValkeyEndedError(_end_of(where, log_since, process.returncode))
            await asyncio.sleep(LOOK_AGAIN_S)
    except asyncio.CancelledError:
        process.terminate()
        raise
    return Running(place=where, pid=process.pid, process=process, log_since=log_since)


async def _answering(where: Place) -> Running | None:
    """The server behind the socket, once it is ready; None if there is none. Refuses a stranger."""
    async with _client(where) as client:
        try:
            directory = Path(str((await client.config_get("dir"))["dir"]))
            pid = int((await client.info("server"))["process_id"])
        except (RedisError, OSError, KeyError) as err:
            if isinstance(err, ResponseError | KeyError) or fitness.turned_away(err):
                raise SettingsError(f"{where.socket} is served by a stranger that refuses us") from err
            return None
    if directory != where.directory:
        raise SettingsError(
            f"{where.socket} is served by a Valkey of another directory, {directory} (process {pid}): "
            "stop it, or choose another state_dir"
        )
    while not await _ready(where):  # it loads its file
        if not _alive(pid):
            return None
        await asyncio.sleep(LOOK_AGAIN_S)
    return Running(place=where, pid=pid, process=None, log_since=_log_size(where))


def _only_an_orphan(where: Place, waited_s: float) -> bool:
    """Whether the lock's holder is no server any more; SettingsError if it is one that does not answer."""
    try:
        pid = int(where.pid.read_text(encoding="ascii"))
    except (OSError, ValueError):
        pid = 0
    if not pid or not _alive(pid):
        return waited_s > ORPHAN_PATIENCE_S
    if waited_s > HOLDER_PATIENCE_S:
        raise SettingsError(
            f"a Valkey of {where.directory} runs (process {pid}) but does not answer on {where.socket}: "
            f"end it with `kill -9 {pid}` and start again"
        )
    return False


@contextlib.contextmanager
def _try_lock(where: Place) -> Iterator[int | None]:
    """A locked descriptor, or None where somebody holds the lock. Closing ours leaves an heir's locked."""
    handle = os.open(where.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        held: int | None = handle
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = None
        yield held
    finally:
        os.close(handle)


async def _until_closed(where: Place) -> None:
    """A server that is no child of ours: its end is the end of a connection to it."""
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(where.socket)
        except OSError:
            return
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()
        if not await _ready(where):
            return


async def _ready(where: Place) -> bool:
    async with _client(where) as client:
        try:
            return bool(await client.ping())
        except (RedisError, OSError):  # not there yet, or loading
            return False


def _client(where: Place) -> aredis.Redis:
    return aredis.Redis(
        unix_socket_path=str(where.socket),
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=ANSWER_WITHIN_S,
        socket_connect_timeout=ANSWER_WITHIN_S,
    )


def _end_of(where: Place, log_since: int, code: int | None) -> End:
    free = shutil.disk_usage(where.directory).free
    log = read_tail(where.log, since=log_since)
    return why_valkey_ended(log, code, free_bytes=free, directory=where.directory)


def _log_size(where: Place) -> int:
    return where.log.stat().st_size if where.log.exists() else 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
