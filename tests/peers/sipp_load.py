"""Many calls at once: one SIPp with load.xml, and what it counts itself."""

from __future__ import annotations

import asyncio
import csv
import random
import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.peers.asterisk_files import free_port
from tests.peers.sipp import PLACEHOLDER
from tests.peers.smsc import Program

SCENARIO: Final = Path(__file__).parent / "load.xml"
KEYS: Final = 3
MOST_TOLD: Final = 20  # lines
KEY: Final = """  <label id="{number}"/>
  <send retrans="500">
    <![CDATA[
INFO [$peer] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@[local_ip]>;tag=[call_number]
To:[$to]
Call-ID: [call_id]
CSeq: [cseq] INFO
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal=[field{number}]
Duration=100
]]>
  </send>
  <recv request="BYE" optional="true" next="9"/>
  <recv response="200"/>
  <recv request="BYE" timeout="@pause_ms@" ontimeout="{after}" next="9"/>
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """`rate`: calls a second. `pause_s`: before each key and before hanging up, four times a call."""

    called: str
    numbers: Sequence[str]
    rate: float
    pause_s: float
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadCount:
    """SIPp's own count. `most_at_once`: of looks a second apart. `told`: the first of its errors."""

    successful: int
    failed: int
    most_at_once: int
    seconds: float
    told: str


async def push(program: Program, sip_port: int, load: Load, folder: Path, timeout_s: float) -> LoadCount:
    """All calls, from the first to the end of the last. Raises TimeoutError."""
    # What Asterisk plays goes to a port that nobody reads: the kernel throws it away.
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sink:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sink.bind(("127.0.0.1", 0))
        _write(load, sink.getsockname()[1], folder)
        process = await asyncio.create_subprocess_exec(
            *_argv(program, load, folder),
            f"127.0.0.1:{sip_port}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            begun = asyncio.get_running_loop().time()
            await asyncio.wait_for(process.wait(), timeout_s)
            return _counted(folder, asyncio.get_running_loop().time() - begun)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _write(load: Load, media_port: int, folder: Path) -> None:
    fields = {
        "called": load.called,
        "media_port": str(media_port),
        "pause_ms": str(round(load.pause_s * 1000)),
        "keys": "".join(KEY.format(number=at, after=at + 1) for at in range(1, KEYS + 1))
        + f'  <label id="{KEYS + 1}"/>',
    }
    text = SCENARIO.read_text(encoding="utf-8").replace("@keys@", fields["keys"])
    (folder / "load.xml").write_text(PLACEHOLDER.sub(lambda found: fields[found[1]], text), encoding="utf-8")
    chance = random.Random(load.seed)  # noqa: S311 - a test's choices
    lines = [";".join((number, *chance.choices("1240", k=KEYS))) for number in load.numbers]
    (folder / "callers.csv").write_text("\n".join(("SEQUENTIAL", *lines)) + "\n", encoding="utf-8")


def _argv(program: Program, load: Load, folder: Path) -> tuple[str, ...]:
    files = {"-sf": "load.xml", "-inf": "callers.csv", "-stf": "stat.csv", "-error_file": "errors"}
    named = [part for option, name in files.items() for part in (option, str(folder / name))]
    here = ("-i", "127.0.0.1", "-p", str(free_port(socket.SOCK_DGRAM)), "-nostdin")
    speed = ("-r", f"{load.rate:g}", "-m", str(len(load.numbers)), "-l", str(len(load.numbers)))
    return (*program.argv, *named, "-trace_stat", "-trace_err", "-fd", "1", *here, *speed)


def _counted(folder: Path, seconds: float) -> LoadCount:
    with (folder / "stat.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    failed = int(rows[-1]["FailedCall(C)"])
    errors = (folder / "errors").read_text(encoding="utf-8", errors="replace") if failed else ""
    return LoadCount(
        successful=int(rows[-1]["SuccessfulCall(C)"]),
        failed=failed,
        most_at_once=max(int(row["CurrentCall"]) for row in rows),
        seconds=round(seconds, 1),
        told="\n".join([line for line in errors.splitlines() if "receive timeout" not in line][:MOST_TOLD]),
    )
