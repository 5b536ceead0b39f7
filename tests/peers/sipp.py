"""A caller: SIPp speaks SIP with Asterisk, a socket of ours hears the sound and presses keys.

async with calling(program, asterisk.sip_port, Dial(number="380670000001", called="0800123456")) as caller:
    await caller.answered()
    await caller.press("12")           # by RFC 4733, or by SIP INFO: Dial(key_by=KeyBy.INFO)
    await caller.hang_up()             # before the answer: CANCEL
    count = await caller.ended()       # also where Asterisk hangs up; SIPp's own count
    caller.heard                       # 16-bit samples, 8,000 a second
"""

from __future__ import annotations

import array
import asyncio
import csv
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from tests.peers.asterisk_files import free_port
from tests.peers.media import Media, open_media
from tests.peers.smsc import PeerError, Program

SCENARIO: Final = Path(__file__).parent / "call.xml"
PLACEHOLDER: Final = re.compile(r"@([a-z_]+)@")
LOOK_S: Final = 0.02  # between two looks at what SIPp has written


class KeyBy(Enum):
    """How a telephone tells that a key was pressed."""

    RFC4733 = "rfc4733"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dial:
    """A call as it is begun. Nothing is checked or escaped: forged headers are what tests need.

    `number`: the user of the From address. `name`: the display name, with its quotes. `headers`: whole lines,
    as "Privacy: id". `host`: the caller's own address, a trunk's if 127.0.0.1.
    """

    number: str = "380670000001"
    called: str = "0800123456"
    name: str = ""
    headers: tuple[str, ...] = ()
    key_by: KeyBy = KeyBy.RFC4733
    host: str = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """What SIPp itself says of its calls. `told`: its errors."""

    successful: int
    failed: int
    told: str


class Caller:
    """One call, until `ended`."""

    def __init__(
        self, process: asyncio.subprocess.Process, folder: Path, dial: Dial, port: int, media: Media
    ) -> None:
        """`port`: of SIPp. `folder`: what it writes into."""
        self.media = media
        self._process = process
        self._folder = folder
        self._dial = dial
        self._port = port

    @property
    def heard(self) -> array.array[int]:
        """What was played so far: 16-bit samples, 8,000 a second, from the first packet on."""
        return self.media.heard

    async def answered(self, timeout_s: float = 10.0) -> None:
        """Until Asterisk has answered. Raises PeerError."""
        await self._until("answered", 1, timeout_s)

    async def press(self, keys: str, timeout_s: float = 10.0) -> None:
        """Press keys, until the last one is up or was acknowledged. Raises PeerError, TimeoutError."""
        if self._dial.key_by is KeyBy.RFC4733:
            await self.media.press(keys)
            return
        for key in keys:
            before = self._logged().count("pressed")
            self._order("NOTIFY", key)
            await self._until("pressed", before + 1, timeout_s)

    async def hang_up(self) -> None:
        """Hang up; before the answer the call is cancelled."""
        self._order("REFER")

    async def ended(self, timeout_s: float = 30.0) -> Count:
        """Until the call is over on both sides. Raises PeerError where it goes on."""
        try:
            await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError as err:
            raise PeerError("the call did not end") from err
        return count(self._folder)

    def _order(self, method: str, body: str = "") -> None:
        """See call.xml: SIPp takes these as orders."""
        host = self._dial.host
        request = (
            f"{method} sip:caller@{host} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:9;branch=z9hG4bK0\r\n"
            f"From: <sip:test@{host}>;tag=1\r\nTo: <sip:caller@{host}>;tag=ours\r\n"
            f"Call-ID: {call_id(self.media)}\r\nCSeq: 1 {method}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as order:
            order.sendto(request.encode(), (host, self._port))

    def _logged(self) -> str:
        file = self._folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    async def _until(self, word: str, times: int, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while self._logged().count(word) < times:
                    if self._process.returncode is not None:
                        raise PeerError(f"the call ended before it {word}: {count(self._folder)}")
                    await asyncio.sleep(LOOK_S)
        except TimeoutError as err:
            raise PeerError(f"the call is not {word}") from err


@asynccontextmanager
async def calling(program: Program, sip_port: int, dial: Dial) -> AsyncIterator[Caller]:
    """A call to the Asterisk at `sip_port`; at the end SIPp is killed if it still runs."""
    folder = Path(tempfile.mkdtemp(prefix="sipp-"))
    media = await open_media(dial.host)
    process: asyncio.subprocess.Process | None = None
    try:
        port = free_port(socket.SOCK_DGRAM, dial.host)
        (folder / "call.xml").write_text(_scenario(dial, media.port), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *_argv(program, folder, dial, port, call_id(media)),
            f"127.0.0.1:{sip_port}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
        )
        yield Caller(process, folder, dial, port, media)
    finally:
        media.close()
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def call_id(media: Media) -> str:
    """Of the one call that has this sound."""
    return f"{media.port}@undercap.test"


def count(folder: Path) -> Count:
    """SIPp's count, from the last line of its statistics."""
    with (folder / "stat.csv").open(encoding="utf-8", newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    errors = folder / "errors"
    return Count(
        successful=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        told=errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else "",
    )


def _argv(program: Program, folder: Path, dial: Dial, port: int, call_id: str) -> tuple[str, ...]:
    files = {"-sf": "call.xml", "-log_file": "log", "-stf": "stat.csv", "-error_file": "errors"}
    named = [part for option, name in files.items() for part in (option, str(folder / name))]
    traces = ("-trace_logs", "-trace_stat", "-trace_err")
    here = ("-i", dial.host, "-p", str(port), "-mi", dial.host)
    return (*program.argv, *named, *traces, *here, "-m", "1", "-cid_str", call_id, "-nostdin")


def _scenario(dial: Dial, media_port: int) -> str:
    fields = {
        "called": dial.called,
        "from": f"{dial.name}<sip:{dial.number}@{dial.host}>",
        "headers": "".join(f"{line}\n" for line in dial.headers),
        "media_ip": dial.host,
        "media_port": str(media_port),
    }
    return PLACEHOLDER.sub(lambda found: fields[found[1]], SCENARIO.read_text(encoding="utf-8"))
