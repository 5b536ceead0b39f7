"""A blasts process that is dead, whose sweep stands still, or that waits for a store, is told as such."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from config.settings import RedisSettings, Settings
from gateway.domain.links import health
from gateway.domain.links.health import Grade, Part
from gateway.entry.doctor import checks_processes
from gateway.entry.doctor.findings import Finding, Level
from gateway.entry.processes import blast_sweep
from gateway.entry.processes.blast_sweep import Sweep
from gateway.store.redis import keys
from tests.integration.conftest import shared_server
from tests.integration.gateway.entry.running_up import until
from tests.integration.house import Server

__all__ = ["shared_server"]


@pytest.fixture
def redis(shared_server: Server) -> Iterator[Redis]:
    """A client of it; nobody has told anything yet."""
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is looked at and told every few hundredths of a second."""
    monkeypatch.setattr(blast_sweep, "SWEEP_EVERY_S", 0.01)
    monkeypatch.setattr(blast_sweep, "REPORT_EVERY_S", 0.02)
    monkeypatch.setattr(health, "SWEEP_STILL_S", 0.3)


@contextmanager
def sweeping(redis: Redis, work: Callable[[], None]) -> Iterator[None]:
    """The two threads of the process."""
    stopping = threading.Event()
    sweep = Sweep(work, redis, stopping)
    threads = [threading.Thread(target=target) for target in (sweep.run, sweep.report)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def told(redis: Redis) -> Part:
    """What the health page would make of it."""
    raw = redis.get(keys.status("blasts"))
    assert raw is None or isinstance(raw, bytes)
    return health.blasts(None if raw is None else json.loads(raw))


@pytest.mark.usefixtures("short")
def test_a_sweep_that_stands_still_and_goes_on(redis: Redis) -> None:
    go_on, fails = threading.Event(), threading.Event()
    go_on.set()

    def work() -> None:
        go_on.wait()
        if fails.is_set():
            raise OSError

    with sweeping(redis, work):
        until(lambda: told(redis).grade is Grade.OK, lambda: told(redis).told)
        go_on.clear()
        until(lambda: "stands still" in told(redis).told, lambda: told(redis).told)
        go_on.set()
        until(lambda: told(redis).grade is Grade.OK, lambda: told(redis).told)
        fails.set()
        until(lambda: "its stores are away (OSError)" in told(redis).told, lambda: told(redis).told)
        fails.clear()
        until(lambda: told(redis).grade is Grade.OK, lambda: told(redis).told)
    assert 0 < redis.ttl(keys.status("blasts")) <= keys.STATUS_TTL  # so a dead one is soon silent


def found(url: str, tmp_path: Path) -> dict[str, Finding]:
    """The doctor's findings by name."""
    settings = Settings(state_dir=tmp_path, redis=RedisSettings(url=url))
    return {one.name: one for one in checks_processes.processes(settings)}


def test_the_doctor_finds_one_that_is_gone(shared_server: Server, redis: Redis, tmp_path: Path) -> None:
    assert {name: one.level for name, one in found(shared_server.url, tmp_path).items()} == {
        "processes": Level.WARN
    }
    redis.set(keys.status("worker"), json.dumps({"ledger": ""}))
    gone = found(shared_server.url, tmp_path)
    assert (gone["worker"].level, gone["blasts"].level) == (Level.OK, Level.FAIL)
    assert gone["blasts"].mend == "is `undercap blasts` running?"
    redis.set(keys.status("blasts"), json.dumps({"swept_s": 99.0, "fault": ""}))
    assert found(shared_server.url, tmp_path)["blasts"].told == "its sweep stands still for 99 s"
    redis.set(keys.status("blasts"), json.dumps({"swept_s": 0.1, "fault": ""}))
    assert found(shared_server.url, tmp_path)["blasts"].level is Level.OK


def test_the_doctor_says_nothing_of_them_where_redis_is_away(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, redis=RedisSettings(url="redis://127.0.0.1:1/0", timeout_s=1))
    assert list(checks_processes.processes(settings)) == []
