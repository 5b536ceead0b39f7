"""With a replica: a text is acknowledged when both disks have it, not while the replica is silent."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from gateway.entry.valkey import program as valkey_program
from gateway.store.codes.claims import Verdict
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable
from tests.databases import Databases
from tests.integration.gateway.entry.running_up import until
from tests.integration.house import BOHDAN, House

WAIT_S = 2.0  # for the replica's disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A server with an append-only file."""

    url: str
    client: Redis
    process: subprocess.Popen[bytes]


@pytest.fixture
def pair() -> Iterator[tuple[Node, Node]]:
    """A primary and its replica, in step."""
    with tempfile.TemporaryDirectory(prefix="uc-") as name, ExitStack() as ends:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        primary = _started(Path(name) / "a", f"port {port}\nrepl-diskless-sync-delay 0", ends)
        replica = _started(Path(name) / "b", f"port 0\nreplicaof 127.0.0.1 {port}", ends)
        until(lambda: primary.client.waitaof(1, 1, 100)[1] == 1, lambda: "the replica is not in step")
        yield primary, replica


def _started(directory: Path, lines: str, ends: ExitStack) -> Node:
    directory.mkdir()
    config, log, url = directory / "conf", directory / "log", f"unix://{directory}/s"
    files = f"dir {directory}\nunixsocket {directory}/s\nlogfile {log}"
    config.write_text(f"{files}\nappendonly yes\nappendfsync always\n{lines}\n")
    process = subprocess.Popen([valkey_program.find().path, str(config)])
    ends.callback(process.wait)
    ends.callback(process.kill)
    until((directory / "s").exists, lambda: log.read_text() if log.exists() else "no log")
    return Node(url=url, client=ends.enter_context(closing(Redis.from_url(url))), process=process)


@pytest.fixture
async def house(pair: tuple[Node, Node], tmp_path: Path, database: Databases) -> AsyncIterator[House]:
    """A gateway on the primary, which waits for the replica's disk."""
    made = House(server_url=pair[0].url, state=tmp_path, sql_url=database.url(tmp_path))
    made.store = made.claims(DurableRedis(made.client, waitaof=True, replicas=1, timeout_s=WAIT_S))
    yield made
    await made.close()


async def test_what_was_acknowledged_is_known_after_a_failover(
    pair: tuple[Node, Node], house: House, tmp_path: Path
) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    assert await house.text(code) == Verdict(kind="A", codes=("C1",))

    primary, replica = pair
    primary.process.kill()
    primary.process.wait()
    replica.client.replicaof("NO", "ONE")

    after = House(server_url=replica.url, state=tmp_path)
    try:
        assert await after.text(code, BOHDAN) == Verdict(kind="A", codes=("R",))
        assert after.drain() == 2
        assert after.balance("380671234567") == 10
    finally:
        await after.close()


async def test_nothing_is_acknowledged_without_the_replica(pair: tuple[Node, Node], house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    frozen = pair[1].process

    frozen.send_signal(signal.SIGSTOP)
    with pytest.raises(StoreUnavailable, match="NotOnDisk"):
        await house.text(code)
    frozen.send_signal(signal.SIGCONT)

    # The SMSC comes again: the primary had it, so it is known, and now it is on both disks.
    verdict = await house.text(code)
    assert (verdict.kind, verdict.codes) == ("D", ("C1",))
    assert house.drain() == 1
    assert house.balance("380671234567") == 10
