"""The worker before a Redis that is away, and before one that would lose what was acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from gateway.entry.process.process import Exit
from gateway.entry.valkey import program as valkey_program
from gateway.store.sql import migrate
from tests.integration.gateway.entry.running_up import until

KEEPS = "appendonly yes\nappendfsync always\n"
LOSES = "appendonly no\n"
AWAY = "queue's redis is away"


class Place:
    """A worker and the Redis that it is told to use; both write into one directory."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._database = f"sqlite:///{where / 'ledger.db'}"
        self._output = where / "worker.log"
        self._started: list[subprocess.Popen[bytes]] = []
        migrate.upgrade(self._database)

    def work(self) -> subprocess.Popen[bytes]:
        """Start the worker."""
        kept = {k: v for k, v in os.environ.items() if "UNDERCAP_" not in k}
        with self._output.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway.entry.cli", "worker"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=kept
                | {
                    "UNDERCAP_STATE_DIR": str(self._where),
                    "UNDERCAP_SQL__URL": self._database,
                    "UNDERCAP_REDIS__URL": f"unix://{self._where}/s",
                },
            )
        self._started.append(process)
        return process

    def serve(self, lines: str) -> None:
        """Start a Valkey with these lines, and wait for its socket."""
        config = self._where / "conf"
        config.write_text(f"port 0\nunixsocket {self._where}/s\ndir {self._where}\n{lines}")
        self._started.append(
            subprocess.Popen([valkey_program.find().path, config], stdout=subprocess.DEVNULL)
        )
        until((self._where / "s").exists, lambda: "no Valkey")

    def idle(self) -> bool:
        """Whether RQ's worker waits for a job, its signal handlers in place."""
        with Redis(unix_socket_path=f"{self._where}/s") as redis:
            return any(redis.hget(key, "state") == b"idle" for key in redis.scan_iter("rq:worker:*"))

    def said(self) -> str:
        """What the worker has written."""
        return self._output.read_text(encoding="utf-8")

    def end(self) -> None:
        """Nothing is left."""
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worker's place, with a database of today's schema."""
    made = Place(tmp_path)
    yield made
    made.end()


def test_a_redis_that_is_away_is_told_once_and_waited_for(place: Place) -> None:
    worker = place.work()
    until(lambda: AWAY in place.said(), place.said)
    place.serve(KEEPS)
    until(lambda: f"{AWAY}: over" in place.said(), place.said)
    until(place.idle, place.said)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == Exit.OK, place.said()
    assert "Traceback" not in place.said()
    assert place.said().count(AWAY) == 2  # away, and over


def test_a_redis_that_would_lose_is_refused_in_one_line(place: Place) -> None:
    place.serve(LOSES)
    assert place.work().wait(20) == Exit.CONFIG
    expected = "undercap: redis: the append-only file is off: CONFIG SET appendonly yes\n"
    assert place.said() == expected
