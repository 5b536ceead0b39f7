"""The embedded Valkey for real: its door, its durability, and that there are never two on one file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from config.section import SettingsError
from config.settings import RedisSettings, Settings
from gateway.entry.process.ends import EndKind
from gateway.entry.valkey import embedded
from gateway.entry.valkey import place as valkey_place
from gateway.entry.valkey.place import Place
from gateway.store.redis import fitness
from tests.integration.gateway.entry.running_up import alive

START = """
import asyncio, pathlib, sys
from config.settings import Settings
from gateway.entry.valkey import embedded
asyncio.run(embedded.start(embedded.place(Settings(state_dir=pathlib.Path(sys.argv[1])))))
print("started", flush=True)
input()
"""
HOLD = """
import fcntl, sys
held = open(sys.argv[1], "ab")
fcntl.flock(held, fcntl.LOCK_EX)
print("started", flush=True)
input()
"""


@pytest.fixture
async def where(tmp_path: Path) -> AsyncIterator[Place]:
    """A place in which nothing runs yet; nothing runs there afterwards."""
    place = valkey_place.place(Settings(state_dir=tmp_path / "var"))
    yield place
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(place.pid.read_text()), signal.SIGKILL)


async def stop(running: embedded.Running) -> None:
    """End it and see it end."""
    running.terminate()
    await asyncio.wait_for(running.ended(), 10)


def with_script(script: str, argument: Path) -> subprocess.Popen[bytes]:
    """A process of its own that has said that it did its part."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    return process


def client(where: Place) -> Redis:
    """A client of what answers there."""
    return Redis(unix_socket_path=str(where.socket), decode_responses=True)


async def test_only_its_user_reaches_it_and_it_keeps_what_it_acknowledges(where: Place) -> None:
    running = await embedded.start(where)
    assert stat.S_IMODE(where.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(where.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(where.log.stat().st_mode) == 0o600
    assert client(where).config_get("port") == {"port": "0"}
    async with AsyncRedis(unix_socket_path=str(where.socket)) as asks_bytes:
        found = await fitness.assess(asks_bytes, RedisSettings())
    assert (found.faults, found.warnings) == ((), ())
    await stop(running)


async def test_it_is_killed_and_still_has_everything(where: Place) -> None:
    running = await embedded.start(where)
    client(where).set("code", "claimed")
    running.kill()
    end = await running.ended()
    assert (end.kind, end.reason) == (EndKind.CRASH, "killed by SIGKILL")
    again = await embedded.start(where)
    assert client(where).get("code") == "claimed"
    await stop(again)


async def test_the_next_supervisor_takes_it_over(where: Place) -> None:
    first = with_script(START, where.directory.parent)
    first.kill()
    first.communicate()
    pid = int(client(where).info("server")["process_id"])

    taken = await embedded.start(where)
    assert (taken.pid, taken.process) == (pid, None)
    ended = asyncio.ensure_future(taken.ended())
    os.kill(pid, signal.SIGKILL)
    assert (await asyncio.wait_for(ended, 5)).reason == "gone"


async def test_starting_twice_at_once_gives_one_server(where: Place) -> None:
    first, second = await asyncio.gather(embedded.start(where), embedded.start(where))
    assert first.pid == second.pid
    assert sorted([first.process is None, second.process is None]) == [False, True]
    await stop(first)


async def test_a_server_of_another_directory_is_refused(where: Place, tmp_path: Path) -> None:
    other = Place(directory=tmp_path / "other" / "valkey", socket=where.socket)
    stranger = await embedded.start(other)
    with pytest.raises(SettingsError) as refused:
        await embedded.start(where)
    assert str(refused.value) == (
        f"{where.socket} is served by a Valkey of another directory, {other.directory} "
        f"(process {stranger.pid}): stop it, or choose another state_dir"
    )
    assert alive(stranger.pid)
    await stop(stranger)


async def test_a_stranger_that_refuses_us_is_refused(where: Place) -> None:
    running = await embedded.start(where)
    client(where).config_set("requirepass", "secret")
    with pytest.raises(SettingsError, match="is served by a stranger that refuses us"):
        await embedded.start(where)
    await stop(running)


async def test_no_second_beside_one_that_hangs(where: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    running = await embedded.start(where)
    os.kill(running.pid, signal.SIGSTOP)
    for bound in ("HOLDER_PATIENCE_S", "ANSWER_WITHIN_S"):
        monkeypatch.setattr(embedded, bound, 0.3)
    with pytest.raises(SettingsError, match=f"end it with `kill -9 {running.pid}`"):
        await embedded.start(where)
    os.kill(running.pid, signal.SIGCONT)
    await stop(running)


async def test_an_orphan_that_holds_the_lock_does_not_stop_the_next(where: Place) -> None:
    """What a dead server's forked rewrite looks like: the lock is held, the process id is dead."""
    running = await embedded.start(where)
    running.kill()
    await running.ended()
    holder = with_script(HOLD, where.lock)
    again = await embedded.start(where)
    assert again.process is not None
    await stop(again)
    holder.communicate(b"\n")


async def test_a_stale_process_id_does_not_stop_it(where: Place) -> None:
    where.directory.mkdir(parents=True)
    where.pid.write_text(f"{os.getpid()}\n")  # as after a reboot: the number lives, as something else
    running = await embedded.start(where)
    await stop(running)


async def test_a_long_state_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        long = valkey_place.place(Settings(state_dir=tmp_path / ("long-" * 25)))
        running = await embedded.start(long)
        assert client(long).ping()
        await stop(running)


async def test_a_refused_configuration_is_told_in_one_line(where: Place) -> None:
    with pytest.raises(embedded.ValkeyEndedError) as ended:
        await embedded.start(where, maxmemory="much")
    assert ended.value.end.kind is EndKind.SET_UP
    assert "maxmemory" in ended.value.end.reason
    assert "\n" not in ended.value.end.reason
