"""A callee: SIPp answers the calls that Asterisk makes over its trunk.

async with answering(program, port, status="486 Busy Here"):  # refuses
async with answering(program, port, status="200 OK"):  # answers, until Asterisk hangs up
async with answering(program, port, status="180 Ringing"):  # only rings
async with answering(program, port, status="403 Forbidden", first=""):  # refuses, and nothing rang
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.peers.smsc import PeerError, Program

START_TIMEOUT_S: Final = 10.0
LOOK_S: Final = 0.02
KEEP_ALIVE: Final = b"\r\n\r\n"  # RFC 5626, 3.5.1: no message
REPLY: Final = """  <send>
    <![CDATA[
SIP/2.0 {status}
{via}
[last_From:]
[last_To:];tag=theirs
[last_Call-ID:]
{cseq}
Contact: <sip:{contact}@[local_ip]:[local_port]>
{headers}
]]>
  </send>
"""
SDP: Final = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=callee 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 9 RTP/AVP 8
"""
CONTACT: Final = "[contact]"
NO_BODY: Final = "Content-Length: 0\n"


@asynccontextmanager
async def answering(
    program: Program,
    port: int,
    *,
    status: str,
    headers: tuple[str, ...] = (),
    first: str = "180 Ringing",
    contact: str = "callee",
) -> AsyncIterator[None]:
    """SIPp on 127.0.0.1 gives each INVITE this answer, with these header lines. Raises PeerError.

    `first`: before it, if anything; `status` empty: and then nothing more, until the call is cancelled.
    `contact`: whom each answer names as where to call.
    """
    folder = Path(tempfile.mkdtemp(prefix="callee-"))
    (folder / "callee.xml").write_text(
        _scenario(status, headers, first).replace(CONTACT, contact), encoding="utf-8"
    )
    process = await asyncio.create_subprocess_exec(
        *(*program.argv, "-sf", str(folder / "callee.xml"), "-i", "127.0.0.1", "-p", str(port), "-nostdin"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        await _listens(process, port)
        yield
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _scenario(status: str, headers: tuple[str, ...], first: str) -> str:
    lines = "".join(f"{line}\n" for line in headers)
    steps = ['  <recv request="INVITE"/>\n']
    steps += [_reply(first, NO_BODY)] if first else []
    if status.startswith("200"):
        steps += [_reply(status, lines + SDP), '  <recv request="ACK"/>\n', '  <recv request="BYE"/>\n']
        steps.append(_reply("200 OK", NO_BODY).replace("[last_To:];tag=theirs", "[last_To:]"))
    elif status and not status.startswith("1"):
        steps += [_reply(status, lines + NO_BODY), '  <recv request="ACK"/>\n']
    else:
        steps.append('  <recv request="CANCEL"/>\n')
        steps.append(_reply("200 OK", NO_BODY))
    return f'<?xml version="1.0"?>\n<scenario name="callee">\n{"".join(steps)}</scenario>\n'


def _reply(status: str, headers: str) -> str:
    return REPLY.format(
        status=status, headers=headers, contact=CONTACT, via="[last_Via:]", cseq="[last_CSeq:]"
    )


async def _listens(process: asyncio.subprocess.Process, port: int) -> None:
    """Until SIPp has taken its port."""
    async with asyncio.timeout(START_TIMEOUT_S):
        while process.returncode is None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect(("127.0.0.1", port))
                probe.send(KEEP_ALIVE)
                await asyncio.sleep(LOOK_S)
                probe.send(KEEP_ALIVE)  # raises where the first one was refused
                return
            await asyncio.sleep(LOOK_S)
    raise PeerError("SIPp does not run")
