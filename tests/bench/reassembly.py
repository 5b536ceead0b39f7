"""`make bench-reassembly`: parts a second that are stored on disk and joined, and what each costs.

The gateway's own reading of the PDU, its reassembly and a real Valkey with its fsync, in batches as the
intake makes them; beside it what smpplib alone takes to read and answer the same parts (the codec floor).
Prints a table; the last line is one JSON object.

    python -m tests.bench.reassembly [--n 5000] [--parts 3] [--batches 1,10,100]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from gateway.entry.valkey import embedded
from gateway.entry.valkey.place import Place
from gateway.store.redis.durable import DurableRedis
from gateway.store.texts.parts import PartKeeper
from gateway.store.vault.vault import Vault
from smpp.intake.reassembly import Reassembly
from smpp.protocol import statuses, wire
from smpp.protocol.pdus import DeliverSm
from tests.bench import machine, processes
from tests.bench import wire as raw
from tests.bench.codec_floor import make_pdu, parse_pdu
from tests.bench.load_texts import number
from tests.harness import ROOT

PART: Final = 67  # characters in UCS-2
TIMEOUT_S: Final = 1800.0
SEED: Final = 1


def pdus(n: int, parts: int, first: int) -> list[bytes]:
    """`n` texts of so many parts, each from a sender of its own; neighbours mixed, in any order."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    placed = []
    for i in range(n):
        text = f"Мій код {i:013d}".ljust(PART * parts, ".")
        for at in range(parts):
            body = bytes((5, 0, 3, i & 0xFF, parts, at + 1))
            pdu = raw.deliver_sm(
                source=number(first + i),
                destination=b"4040",
                text=body + text[at * PART : (at + 1) * PART].encode("utf-16-be"),
                coding=raw.UCS2,
                sequence=1,
                esm_class=raw.ESM_UDHI,
            )
            placed.append((i + chance.random() * 20, pdu))
    return [pdu for _, pdu in sorted(placed)]


async def joined(reassembly: Reassembly, those: Sequence[bytes], batch: int) -> int:
    """Read, store, join, answer and end; how many whole texts came of it."""
    whole = 0
    for at in range(0, len(those), batch):
        read = [wire.decode_deliver(1, pdu, 0, len(pdu)) for pdu in those[at : at + batch]]
        messages = [message for message in read if isinstance(message, DeliverSm)]
        links = ["peer"] * len(messages)
        texts = await reassembly.join(messages, links)
        last = [message for message, text in zip(messages, texts, strict=True) if text is not None]
        if last:
            await reassembly.end(last, links[: len(last)])
        for _ in messages:
            wire.encode_answer(wire.DELIVER_SM_RESP, statuses.ROK, 1)
        whole += len(last)
    return whole


def floor(those: Sequence[bytes]) -> float:
    """CPU seconds that smpplib takes to read the parts and to build their answers."""

    class Client:
        sequence = 1

        def next_sequence(self) -> int:
            return 1

    client = Client()
    start = time.process_time()
    for pdu in those:
        parse_pdu(pdu, client=client, allow_unknown_opt_params=True)
        make_pdu("deliver_sm_resp", client=client).generate()
    return time.process_time() - start


async def ours(n: int, parts: int, batches: Sequence[int], folder: Path) -> list[dict[str, Any]]:
    """A line for each size of batch."""
    place = Place(directory=folder / "valkey", socket=folder / "s")
    valkey = await embedded.start(place)
    found = []
    try:
        async with aclosing(Redis(unix_socket_path=str(place.socket))) as client:
            keeper = PartKeeper(DurableRedis(client), Vault(os.urandom(32)), timeout_s=TIMEOUT_S)
            reassembly = Reassembly(keeper)
            await joined(reassembly, pdus(20, parts, first=0), 10)
            pid = int(place.pid.read_text())
            for turn, batch in enumerate(batches, 1):
                those = pdus(n, parts, first=turn * n + 20)
                before, cpu, start = processes.usage(pid), time.process_time(), time.monotonic()
                whole = await joined(reassembly, those, batch)
                seconds, cpu = time.monotonic() - start, time.process_time() - cpu
                store = processes.usage(pid).cpu_s - before.cpu_s
                found.append(
                    {
                        "batch": batch,
                        "parts_per_s": round(len(those) / seconds),
                        "texts_per_s": round(whole / seconds),
                        "lost": n - whole,
                        "cpu_s_per_1000": round(cpu / len(those) * 1000, 4),
                        "valkey_cpu_s_per_1000": round(store / len(those) * 1000, 4),
                    }
                )
                print(
                    f"{'undercap':9} {batch:6} {found[-1]['parts_per_s']:8} {found[-1]['texts_per_s']:8} "
                    f"{found[-1]['lost']:5}  undercap {found[-1]['cpu_s_per_1000']:.3f} "
                    f"valkey {found[-1]['valkey_cpu_s_per_1000']:.3f}",
                    flush=True,
                )
    finally:
        valkey.kill()
        await valkey.ended()
    return found


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything; returns the last line's object."""
    batches = [int(batch) for batch in arguments.batches.split(",")]
    print(f"{'who':9} {'batch':>6} {'parts/s':>8} {'texts/s':>8} {'lost':>5}  CPU s per 1,000 parts")
    those = pdus(arguments.n, arguments.parts, first=0)
    cpu = floor(those)
    print(f"{'floor':9} {'':6} {len(those) / cpu:8.0f} {'':8} {'':5}  {cpu / len(those) * 1000:.3f}")
    with tempfile.TemporaryDirectory(prefix="parts-", dir=arguments.dir) as folder:
        disk = machine.fdatasync_times(Path(folder))
        rows = await ours(arguments.n, arguments.parts, batches, Path(folder))
    return {
        "bench": "reassembly",
        "n": arguments.n,
        "parts": arguments.parts,
        "floor_parts_per_s": round(len(those) / cpu),
        "floor_cpu_s_per_1000": round(cpu / len(those) * 1000, 4),
        "runs": rows,
        "fdatasync_p50_ms": round(disk.p50_ms, 3),
        "machine": asdict(machine.machine()),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=5_000, help="texts a run")
    parser.add_argument("--parts", type=int, default=3, help="of each text")
    parser.add_argument("--batches", default="1,10,100", help="parts that are stored in one round trip")
    # Not the system's temporary directory: it may lie in memory, where fsync costs nothing.
    parser.add_argument("--dir", type=Path, default=ROOT / "build", help="where Valkey keeps its files")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    arguments.dir = arguments.dir.resolve()
    told = asyncio.run(bench(arguments))
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
