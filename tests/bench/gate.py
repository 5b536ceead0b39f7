"""`make bench-gate`: decisions of the gate a second, in batches of 1, 16 and 64, beside bare round trips.

A Valkey of its own with appendonly and fsync always, consents of many shoppers, every decision allowed and
charged to a person's caps, one batch after the other. `read` is a bare GET, `write` a bare SET that is on
disk when it is answered: the gate makes one round trip of each kind. Prints a table; the last line
is one JSON object.

    python -m tests.bench.gate [--seconds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from config import policies
from config.settings import RedisSettings
from gateway.domain.consent.word import Channel
from gateway.store.consent.gate import GateStore
from gateway.store.redis import connect, keys
from gateway.store.redis.durable import DurableRedis
from gateway.usecases.consent.gate import Gate, Question
from tests.bench import machine
from tests.harness import ROOT
from tests.integration.house import Server
from tests.noon import to_noon_of_a_tuesday

BATCHES: Final = (1, 16, 64)
SHOPPERS: Final = 100_000
DEPLOYMENT: Final = "bench"
CHUNK: Final = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line. `per_s`: decisions, or bare calls; `p50_ms`, `p99_ms`: of a batch."""

    what: str
    batch: int
    per_s: float
    p50_ms: float
    p99_ms: float


async def measured(what: str, batch: int, seconds: float, work: Callable[[int], Awaitable[Any]]) -> Row:
    """Do `work`, given the number of its first question, for so long."""
    times: list[float] = []
    first, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        at = time.perf_counter()
        await work(first)
        times.append(time.perf_counter() - at)
        first += batch
    took = time.perf_counter() - begun
    times.sort()
    made = Row(
        what=what,
        batch=batch,
        per_s=round(len(times) * batch / took),
        p50_ms=round(times[len(times) // 2] * 1000, 3),
        p99_ms=round(times[int(len(times) * 0.99)] * 1000, 3),
    )
    print(f"{what:6} {batch:5} {made.per_s:10,.0f} {made.p50_ms:8.3f} {made.p99_ms:8.3f}", flush=True)
    return made


def question(number: int) -> Question:
    """One that nobody asked before, about one of the shoppers."""
    shopper = number % SHOPPERS
    return Question(f"c{number}", 1, f"s{shopper:021}", f"38067{shopper:07}", "7", Channel.SMS)


async def filled(server: Server) -> DurableRedis:
    """Consents of everybody, a running blast."""
    client = connect.async_client(server.url, RedisSettings())
    for at in range(0, SHOPPERS, CHUNK):
        await client.mset({keys.consent(1, f"s{n:021}"): "in:1700000000000" for n in range(at, at + CHUNK)})
    await client.mset({keys.gate(1): DEPLOYMENT, keys.blast(1, "7"): "running"})
    return DurableRedis(client)


async def bench(seconds: float, folder: Path) -> dict[str, Any]:
    """Everything, in order; returns the last line's object."""
    server = Server(folder)
    server.start()
    try:
        redis = await filled(server)
        client = redis.redis

        async def verify() -> None:
            """Nothing to hold it against."""

        offset_s = to_noon_of_a_tuesday()
        store = GateStore(redis, deployment=DEPLOYMENT, verify=verify, offset_s=offset_s)
        gate = Gate(store, policies.load())
        print(f"{'what':6} {'batch':>5} {'per s':>10} {'p50 ms':>8} {'p99 ms':>8}")
        rows = [
            await measured("read", 1, seconds, lambda first: client.get(keys.consent(1, f"s{first:021}"))),
            await measured("write", 1, seconds, lambda first: client.set("bench", first)),
        ]
        for batch in BATCHES:
            await client.delete(*[key async for key in client.scan_iter("{caps}:*", count=CHUNK)] or ["x"])

            async def asked(first: int, batch: int = batch) -> None:
                await gate.ask([question(first + n) for n in range(batch)])

            rows.append(await measured("gate", batch, seconds, asked))
        await client.aclose()
    finally:
        server.kill()
    return {"bench": "gate", "rows": [asdict(row) for row in rows], "machine": asdict(machine.machine())}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each line")
    arguments = parser.parse_args()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    # Not the system's temporary directory: it may lie in memory, where fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="g-", dir=build) as folder:
        print(json.dumps(asyncio.run(bench(arguments.seconds, Path(folder)))))


if __name__ == "__main__":
    main()
