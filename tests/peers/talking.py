"""A callee with a voice: SIPp speaks SIP with Asterisk, a socket of ours talks, hears and presses keys.

async with talking(program) as callee:
    ...  # a call is made to callee.port
    await callee.answered()            # from here on Asterisk gets our sound: silence, or `media.speak`
    await callee.press("9")            # RFC 4733
    await callee.hang_up()
    await callee.ended()               # also where Asterisk hangs up
"""

from __future__ import annotations

import array
import asyncio
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.peers.asterisk_files import free_port
from tests.peers.media import Media, open_media
from tests.peers.sipp import LOOK_S, PLACEHOLDER
from tests.peers.smsc import PeerError, Program

SCENARIO: Final = Path(__file__).parent / "answer.xml"
HOST: Final = "127.0.0.1"
RINGS: Final = re.compile(r"rings (\S+) (\d+)\.")


class Callee:
    """One call, until `ended`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, port: int, media: Media) -> None:
        self.port = port
        self.media = media
        self._process = process
        self._folder = folder

    @property
    def heard(self) -> array.array[int]:
        """What was played so far: 16-bit samples, 8,000 a second, from the first packet on."""
        return self.media.heard

    async def answered(self, *, mute: bool = False, within_s: float = 10.0) -> None:
        """Until the call was taken; from then on we send sound, unless `mute`. Raises PeerError."""
        rings = await self._logged(RINGS, within_s)
        await self._logged(re.compile("answered"))
        if not mute:
            self.media.send_to((HOST, int(rings[2])))

    async def press(self, keys: str) -> None:
        """Press keys, until the last one is up."""
        await self.media.press(keys)

    async def hang_up(self) -> None:
        """Say BYE."""
        rings = await self._logged(RINGS)
        request = (
            f"REFER sip:callee@{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:9;branch=z9hG4bK0\r\n"
            f"From: <sip:test@{HOST}>;tag=1\r\nTo: <sip:callee@{HOST}>;tag=theirs\r\n"
            f"Call-ID: {rings[1]}\r\nCSeq: 1 REFER\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as order:
            order.sendto(request.encode(), (HOST, self.port))

    async def ended(self, timeout_s: float = 60.0) -> None:
        """Until the call is over. Raises PeerError where it goes on, or SIPp counts it as failed."""
        try:
            code = await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError as err:
            raise PeerError("the call did not end") from err
        if code != 0:
            raise PeerError("the call failed")

    async def _logged(self, wanted: re.Pattern[str], timeout_s: float = 10.0) -> re.Match[str]:
        file = self._folder / "log"
        async with asyncio.timeout(timeout_s):
            while True:
                text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
                if found := wanted.search(text):
                    return found
                if self._process.returncode is not None:
                    raise PeerError(f"the call ended before it {wanted.pattern}")
                await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def talking(program: Program, port: int = 0) -> AsyncIterator[Callee]:
    """A telephone that takes one call, on a free port if none is given; at the end it is no more."""
    folder = Path(tempfile.mkdtemp(prefix="talking-"))
    media = await open_media(HOST)
    port = port or free_port(socket.SOCK_DGRAM, HOST)
    fields = {"media_ip": HOST, "media_port": str(media.port)}
    scenario = PLACEHOLDER.sub(lambda found: fields[found[1]], SCENARIO.read_text(encoding="utf-8"))
    (folder / "answer.xml").write_text(scenario, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(*program.argv, "-sf", str(folder / "answer.xml"), "-i", HOST, "-p", str(port), "-m", "1"),
        *("-trace_logs", "-log_file", str(folder / "log"), "-nostdin"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        yield Callee(process, folder, port, media)
    finally:
        media.close()
        if process.returncode is None:
            process.kill()
            await process.wait()
        shutil.rmtree(folder, ignore_errors=True)
