"""Real servers under various configurations are judged as they are."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis as AsyncRedis

from config.settings import RedisSettings
from gateway.entry.valkey import program as valkey_program
from gateway.store.redis import fitness
from tests.integration.gateway.entry.running_up import until

ALWAYS = "appendonly yes\nappendfsync always\n"
NO_CONFIG = "user default on nopass ~* &* +@all -config\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Lines of a configuration, our settings, and a word of each fault and each warning."""

    label: str
    lines: str
    settings: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


WAITAOF = {"durability": "waitaof"}
ASSURED = {"durability_assured_by": "J. Doe"}
CASES = (
    Case(label="as it comes", lines="", faults=("append-only file is off",)),
    Case(label="every second", lines="appendonly yes\n", faults=("appendfsync is everysec",)),
    Case(label="every second, WAITAOF", lines="appendonly yes\n", settings=WAITAOF),
    Case(
        label="never, WAITAOF",
        lines="appendonly yes\nappendfsync no\n",
        settings=WAITAOF,
        faults=("nothing to wait for",),
    ),
    Case(label="always", lines=ALWAYS),
    Case(
        label="always, but not while rewriting",
        lines=ALWAYS + "no-appendfsync-on-rewrite yes\n",
        faults=("drops fsync",),
    ),
    Case(
        label="eviction",
        lines=ALWAYS + "maxmemory 100mb\nmaxmemory-policy allkeys-lru\n",
        faults=("eviction is on",),
    ),
    Case(label="ACL without CONFIG", lines=ALWAYS + NO_CONFIG, faults=("CONFIG is forbidden",)),
    Case(
        label="ACL without CONFIG, assured",
        lines=ALWAYS + NO_CONFIG,
        settings=ASSURED,
        warnings=("assured by J. Doe",),
    ),
    Case(
        label="ACL without CONFIG, assured wrongly",
        lines=NO_CONFIG + "maxmemory 100mb\nmaxmemory-policy allkeys-lru\n",
        settings=ASSURED,
        faults=("eviction is on", "append-only file is off"),
    ),
    Case(
        label="ACL with CONFIG GET alone",
        lines=ALWAYS + "user default on nopass ~* &* +@all -config +config|get\n",
    ),
    Case(
        label="CONFIG taken away",
        lines=ALWAYS + 'rename-command CONFIG ""\n',
        faults=("CONFIG is forbidden",),
    ),
    Case(label="a password", lines=ALWAYS + "requirepass secret\n", faults=("mend them in redis.url",)),
    Case(
        label="ACL without INFO",
        lines=ALWAYS + "user default on nopass ~* &* +@all -info\n",
        faults=("INFO is refused",),
    ),
)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Starts a server with these lines; returns its socket."""
    servers: list[subprocess.Popen[bytes]] = []
    socket, config, log = tmp_path / "s", tmp_path / "conf", tmp_path / "log"

    def begin(lines: str) -> Path:
        config.write_text(f"port 0\nunixsocket {socket}\ndir {tmp_path}\nlogfile {log}\n{lines}")
        servers.append(subprocess.Popen([valkey_program.find().path, config], stdout=subprocess.DEVNULL))
        until(socket.exists, log.read_text)
        return socket

    yield begin
    for server in servers:
        server.kill()
        server.wait()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
@pytest.mark.parametrize("decode", [False, True], ids=["bytes", "text"])
async def test_judgement(serve: Callable[[str], Path], case: Case, decode: bool) -> None:
    socket = str(serve(case.lines))
    async with AsyncRedis(unix_socket_path=socket, decode_responses=decode) as client:
        found = await fitness.assess(client, RedisSettings.model_validate(case.settings))
    assert len(found.faults) == len(case.faults), found.faults
    assert len(found.warnings) == len(case.warnings), found.warnings
    for words, told in zip((*case.faults, *case.warnings), (*found.faults, *found.warnings), strict=True):
        assert words in told
