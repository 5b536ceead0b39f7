"""Connections that ask for nothing: they are given up, and whoever asks is answered meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import ClientSession, web

from gateway.http import door as doors
from gateway.http.door import Door, DoorRunner, Room

WITHIN_S = 10.0
HEAD = b"GET /quick HTTP/1.1\r\nHost: x\r\n"


class House:
    """An application behind a door; `dropped`: why connections were given up."""

    def __init__(self, port: int, dropped: Counter[str], slow: asyncio.Event) -> None:
        self.port = port
        self.dropped = dropped
        self.slow = slow
        self.opened: list[asyncio.StreamWriter] = []

    async def open(self, said: bytes = b"") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(said)
        self.opened.append(writer)
        return reader

    async def ask(self, path: str = "/quick") -> int:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.status


async def until(true: Any) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - what a server does
            await asyncio.sleep(0.01)


@pytest.fixture
async def opens(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr(doors, "LOOK_EVERY_S", 0.02)
    ends: list[Any] = []

    async def open_(**room: Any) -> House:
        dropped, slow = Counter[str](), asyncio.Event()
        door = Door(
            Room(**{"most": 100, "of_one": 50, "trusted": (), **room}), lambda why: dropped.update([why])
        )

        async def quick(request: web.Request) -> web.Response:
            del request
            return web.Response()

        async def waits(request: web.Request) -> web.Response:
            await slow.wait()
            return await quick(request)

        app = web.Application(middlewares=[door.middleware])
        app.add_routes([web.get("/quick", quick), web.get("/slow", waits)])
        runner = DoorRunner(app, door, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        watching = asyncio.create_task(door.run())
        house = House(runner.addresses[0][1], dropped, slow)
        ends.append((house, watching, runner))
        return house

    yield open_
    for house, watching, runner in ends:
        watching.cancel()
        house.slow.set()
        for writer in house.opened:
            writer.close()
        await runner.cleanup()


SAID = {"nothing": b"", "half a header": HEAD + b"X-Slow: "}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
async def test_who_asks_is_let_in_though_others_fill_the_room(opens: Any, said: bytes) -> None:
    house = await opens(most=20, of_one=1000)
    for _ in range(60):
        await house.open(said)
    assert [await house.ask() for _ in range(5)] == [200] * 5
    assert house.dropped["all"] >= 40


async def test_an_address_has_its_room_and_a_trusted_proxy_all(opens: Any) -> None:
    crowded = await opens(of_one=8)
    trusting = await opens(of_one=8, trusted=(ip_network("127.0.0.0/8"),))
    for house in (crowded, trusting):
        for _ in range(30):
            await house.open()
        assert await house.ask() == 200
    assert crowded.dropped["address"] >= 22
    assert trusting.dropped == {}


async def test_what_is_silent_or_slow_is_given_up_and_what_is_answered_is_kept(
    opens: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "HEADER_S", 0.2)
    house = await opens()
    silent, slow, kept = [await house.open(said) for said in (b"", HEAD, HEAD + b"\r\n")]
    assert (await kept.readline()).startswith(b"HTTP/1.1 200")
    async with asyncio.timeout(WITHIN_S):
        for gone in (silent, slow):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await gone.readexactly(1)
    assert house.dropped == {"silent": 2}
    house.opened[2].write(HEAD + b"\r\n")
    await kept.readuntil(b"\r\n\r\n")
    assert (await kept.readline()).startswith(b"HTTP/1.1 200")


async def test_a_request_under_way_is_never_given_up(opens: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "HEADER_S", 0.05)
    monkeypatch.setattr(doors, "KEPT_S", 0.05)
    house = await opens(most=10, of_one=10)
    under_way = [asyncio.create_task(house.ask("/slow")) for _ in range(5)]
    for _ in range(30):
        await house.open()
    await until(lambda: house.dropped["silent"] >= 5)
    house.slow.set()
    assert await asyncio.gather(*under_way) == [200] * 5
