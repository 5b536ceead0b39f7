"""`undercap simulate` as a process: it says where it is, stops when told, and tells of a taken port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.integration.smpp.simulator.watching import PATIENCE_S, RawGateway

UNDERCAP = Path(sys.executable).with_name("undercap")
STARTS_WITHIN_S = 30.0


async def started(state: Path, *, http_port: int = 0, smpp_port: int = 0) -> asyncio.subprocess.Process:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("UNDERCAP_")},
        "UNDERCAP_STATE_DIR": str(state),
        "UNDERCAP_SIMULATOR__HTTP_PORT": str(http_port),
        "UNDERCAP_SIMULATOR__SMPP_PORT": str(smpp_port),
    }
    return await asyncio.create_subprocess_exec(
        UNDERCAP,
        "simulate",
        cwd=state,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_says_where_it_is_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    process = await started(tmp_path)
    assert process.stdout is not None
    async with asyncio.timeout(STARTS_WITHIN_S):
        line = (await process.stdout.readline()).decode()
    page, smpp_port = line.split()[2], int(line.rsplit(":", 1)[1])
    async with aiohttp.ClientSession() as browser, browser.get(page) as response:
        assert response.status == 200
        origin = page.rstrip("/")
        async with browser.ws_connect(f"{page}socket", headers={"Origin": origin}) as open_page:
            gateway, status = await RawGateway.bind(smpp_port)
            assert status == 0
            process.send_signal(number)
            command, _, sequence, _ = await gateway.read()
            assert command == 6  # unbind
            gateway.write(0x80000006, 0, sequence)
            async with asyncio.timeout(PATIENCE_S):
                while not open_page.closed:
                    await open_page.receive()
    async with asyncio.timeout(PATIENCE_S):
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize("setting", ["http_port", "smpp_port"])
async def test_a_taken_port_is_one_line(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await started(tmp_path, **{setting: port})
        async with asyncio.timeout(STARTS_WITHIN_S):
            _, errors = await process.communicate()
    lines = errors.decode().splitlines()
    assert process.returncode == 78
    assert len(lines) == 1
    assert f"port {port} on 127.0.0.1 is in use" in lines[0]
    assert f"simulator.{setting}" in lines[0]
