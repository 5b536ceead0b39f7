"""A SIP proxy as the trunk: Kamailio between Asterisk and SIPp's callees, stateful, as operators have one.

async with proxying(program, port, relay(5070)):  # says 100 by itself, and carries the callee's answers back
async with proxying(program, port, refuse(403, "Forbidden")):  # refuses by itself, and nobody is rung up
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

from tests.peers.fetch import KamailioProgram
from tests.peers.smsc import PeerError

START_TIMEOUT_S: Final = 20.0
LOOK_S: Final = 0.05
SILENT_MS: Final = 1500  # of a callee, after which the proxy says 408
PROBE: Final = (
    "OPTIONS sip:proxy@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1;rport\r\n"
    "From: <sip:test@127.0.0.1>;tag=1\r\nTo: <sip:proxy@127.0.0.1>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
CONFIGURATION: Final = """#!KAMAILIO
debug = 1
log_stderror = yes
fork = yes
children = 1
auto_aliases = no
dns = no
rev_dns = no
enable_tls = 0
disable_tcp = yes
listen = udp:127.0.0.1:{port}
mpath = "{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "siputils.so"
loadmodule "textops.so"
modparam("tm", "fr_timer", {silent_ms})
request_route {{
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
        loose_route();
        t_relay();
        exit;
    }}
    if (!is_method("INVITE")) {{ exit; }}
    record_route();
    {does}
}}
"""


def relay(port: int) -> str:
    """It carries calls to 127.0.0.1 at this port."""
    return f'$du = "sip:127.0.0.1:{port}"; if (!t_relay()) {{ sl_reply_error(); }}'


def refuse(code: int, reason: str) -> str:
    """It answers each call so by itself."""
    return f't_newtran(); t_reply("{code}", "{reason}");'


@asynccontextmanager
async def proxying(program: KamailioProgram, port: int, does: str) -> AsyncIterator[None]:
    """Kamailio on 127.0.0.1. `does`: of `relay` or `refuse`. Raises PeerError."""
    folder = Path(tempfile.mkdtemp(prefix="proxy-"))
    file = folder / "kamailio.cfg"
    told = {"port": port, "modules": program.modules, "silent_ms": SILENT_MS, "does": does}
    file.write_text(CONFIGURATION.format(**told), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(*program.argv, "-f", str(file), "-DD", "-E", "-m", "16", "-M", "4"),
        *("-Y", str(folder), "-w", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=(folder / "errors").open("wb"),
        cwd=folder,
    )
    try:
        await _listens(process, port, folder)
        yield
    finally:
        if process.returncode is None:
            process.terminate()  # it takes its own children with it
            await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _listens(process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
    """Until it answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(TimeoutError):
        probe.setblocking(False)
        probe.bind(("127.0.0.1", 0))
        octets = PROBE.format(port=probe.getsockname()[1]).encode()
        async with asyncio.timeout(START_TIMEOUT_S):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    probe.sendto(octets, ("127.0.0.1", port))
                with contextlib.suppress(OSError, TimeoutError):
                    await asyncio.wait_for(asyncio.get_running_loop().sock_recv(probe, 4096), LOOK_S)
                    return
                await asyncio.sleep(LOOK_S)
    said = (folder / "errors").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise PeerError(f"Kamailio does not run: {said}")
