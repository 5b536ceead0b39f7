"""Uploads that come slowly, or not at all, hold up nobody but their own firm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.http import guard
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.firms import set_up
from ivr.recordings import http as routes
from ivr.recordings.studio import Sound
from tests.integration.house import House

PATH = f"{routes.PATH}?language=en&name="


class Studio:
    """Makes the same sound of everything, at once."""

    def convert(self, wav: bytes) -> Sound:
        return Sound(wav=wav, milliseconds=1000)


@pytest.fixture
async def client(house: House) -> AsyncIterator[Any]:
    house.firm("acme")
    house.firm("bolt")
    app = web.Application(middlewares=[guard.middleware(Meter())])
    app.add_routes(routes.routes(house.engine, ApiKeys(house.engine, house.vault), Studio()))  # type: ignore[arg-type]
    async with TestClient(TestServer(app)) as made:
        yield made


class Slow:
    """An upload that begins, and goes on as its test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._reader = reader

    @classmethod
    async def begun(cls, client: Any, key: str, name: str) -> Slow:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"POST {PATH}{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        writer.write(f"{head}Content-Type: audio/wav\r\nContent-Length: 10000000\r\n\r\n".encode())
        await writer.drain()
        return cls(reader, writer)

    async def status(self) -> int:
        return int((await self._reader.readline()).split()[1])


async def upload(client: Any, key: str, name: str) -> int:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "audio/wav"}
    async with client.post(PATH + name, data=b"RIFF", headers=headers) as response:
        return int(response.status)


async def full(client: Any, key: str) -> None:
    """Wait until the firm has all its places taken."""
    async with asyncio.timeout(10):
        while await upload(client, key, "probe") != 429:  # noqa: ASYNC110 - asked of a server
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("slow", "other"), [("acme", "bolt"), ("bolt", "acme")])
async def test_silent_uploads_of_a_firm_hold_up_that_firm_alone_and_are_given_up(
    house: House, client: Any, monkeypatch: pytest.MonkeyPatch, slow: str, other: str
) -> None:
    monkeypatch.setattr(routes, "SILENT_S", 3.0)
    mine, theirs = (set_up.new_api_key(house.engine, house.vault, firm) for firm in (slow, other))
    silent = [await Slow.begun(client, mine, f"n{n}") for n in range(8)]
    await full(client, mine)
    assert await upload(client, theirs, "quick") == 201
    assert sorted([await one.status() for one in silent]) == [408] * 2 + [429] * 6
    assert await upload(client, mine, "later") == 201


async def test_an_upload_that_drips_is_given_up(
    house: House, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "SILENT_S", 0.5)
    drips = await Slow.begun(client, set_up.new_api_key(house.engine, house.vault, "acme"), "n")

    async def drip() -> None:
        while True:
            drips.writer.write(b"x")
            await drips.writer.drain()
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(10):
        assert await drips.status() == 408
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
