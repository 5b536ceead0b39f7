"""`undercap up --demo` where an Asterisk can be had: a handset calls, hears, keys, gets its alias by SMS."""

from __future__ import annotations

import array
import asyncio
import json
import re
import shlex
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from config import prompts
from config.texts import LANGUAGES
from tests.conftest import any_asterisk
from tests.harness import Gateway
from tests.integration.gateway.entry.running_up import alive
from tests.peers.asterisk_files import free_port
from tests.peers.hearing import likeness, samples, write_prompt
from tests.peers.media import LINEAR

Socket = aiohttp.ClientWebSocketResponse
ALIKE = 0.9
WAIT_S = 60.0
SECOND = 8000  # samples
RECORDED = (800, 1200, 450)  # Hz
ALIAS = re.compile(r"\b\d{3} \d{3} \d{3}\b")


class Page:
    """The page of the virtual phones: its two websockets."""

    def __init__(self, texts: Socket, calls: Socket) -> None:
        self.texts = texts
        self.calls = calls
        self.heard: array.array[int] = array.array("h")

    async def until(self, **wanted: str) -> dict[str, Any]:
        """The telephone's next message with these fields; what is heard meanwhile is kept."""
        async with asyncio.timeout(WAIT_S):
            while not wanted.items() <= (told := await self._next()).items():
                pass
        return told

    async def hear(self, seconds: int) -> None:
        """Listen until so much was heard."""
        async with asyncio.timeout(WAIT_S):
            while len(self.heard) < seconds * SECOND:
                await self._next()

    async def received(self) -> dict[str, Any]:
        """The next text that a handset receives."""
        async with asyncio.timeout(WAIT_S):
            while True:
                told = await self.texts.receive_json()
                if told["type"] == "bubble" and told["bubble"]["direction"] == "received":
                    found: dict[str, Any] = told["bubble"]
                    return found

    async def _next(self) -> dict[str, Any]:
        """A message of the telephone; nothing for one of sound."""
        message = await self.calls.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            self.heard.extend(LINEAR[octet] for octet in message.data)
            return {}
        told: dict[str, Any] = message.json()
        return told


def record_prompts(sounds: Path) -> Path:
    """A studio's recordings, which stay: all alike. Returns one."""
    for language in LANGUAGES:
        for name in (*prompts.load(language), prompts.PAUSE):
            write_prompt(sounds / language / f"{name}.wav", RECORDED)
    return sounds / "uk" / f"{prompts.PAUSE}.wav"


@pytest.fixture
def tmp_path(short_path: Path) -> Path:
    """A short one: below it is the socket of the demo's Asterisk."""
    return short_path


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A state directory with recorded prompts, and the settings of a machine with an Asterisk."""
    program = any_asterisk()
    demo = {
        "asterisk": shlex.join(program.argv),
        "asterisk_modules": str(program.modules),
        "asterisk_data": str(program.data),
        "espeak": "no-such-program",
    }
    ports = (free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM))
    simulator = dict(zip(("http_port", "smpp_port"), ports, strict=True))
    gateway = Gateway(state=tmp_path, links=[], settings={"demo": {**demo}, "simulator": {**simulator}})
    gateway.write_config()
    yield gateway
    gateway.kill_everything()


async def test_a_handset_calls_and_its_alias_comes_by_sms(gateway: Gateway, tmp_path: Path) -> None:
    prompt = record_prompts(tmp_path / "var" / "sounds")
    gateway.start("up", options=("--demo",))
    log = tmp_path / "up.log"
    await gateway.until(lambda: "Undercap is ready" in log.read_text(encoding="utf-8"), "not ready", WAIT_S)
    (ready,) = [line for line in log.read_text(encoding="utf-8").splitlines() if "Undercap is ready" in line]
    address = json.loads(ready)["addresses"]["Virtual phones"]
    origin = {"Origin": address.rstrip("/")}
    async with (
        aiohttp.ClientSession() as browser,
        browser.ws_connect(f"{address}socket", headers=origin) as texts,
        browser.ws_connect(f"{address}call", headers=origin) as calls,
    ):
        page = Page(texts, calls)
        await page.until(readiness="ready")
        await calls.send_json({"type": "dial", "handset": "olena"})
        await page.until(stage="talking")
        await page.hear(1)
        await calls.send_json({"type": "key", "key": "4"})
        await page.hear(2)
        await calls.send_json({"type": "hang_up"})
        over = await page.until(stage="over")
        alias = await page.received()
    gateway.cli("audience", "add", "--firm", "demo", "--name", "all")
    (tmp_path / "texts.toml").write_text('en = "{firm} {opt_out}"\n', encoding="utf-8")
    blast = ("--name", "b", "--audience", "1", "--campaign", "1", "--texts", str(tmp_path / "texts.toml"))
    gateway.cli("blast", "add", "--firm", "demo", *blast)
    forecast = gateway.cli("blast", "preflight", "--firm", "demo", "1")
    pid = int((tmp_path / "var" / "asterisk" / "run" / "asterisk.pid").read_text(encoding="ascii"))
    lived = alive(pid)
    assert (await gateway.stop())["up"] == 0
    assert over["why"] == ""
    assert likeness(page.heard, samples(prompt)) > ALIKE
    assert (alias["handset"], alias["peer"]) == ("olena", "4040")
    assert ALIAS.search(alias["text"])
    # What was keyed: 4, as the call's canonical line has it.
    assert '"keys":"4"' in log.read_text(encoding="utf-8")
    assert (lived, alive(pid)) == (True, False)
    assert "no link" not in forecast  # a command in another terminal knows the simulated SMSC
