"""The live feed on a real Valkey: published, capped, streamed, resumed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis
import redis.asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.entry.valkey import program as valkey_program
from gateway.http.operator import feed as feed_http
from gateway.store.redis import keys
from gateway.store.telemetry import feed

PATIENCE_S = 10.0
ONCE, ASYNC_ONCE = Retry(NoBackoff(), 0), AsyncRetry(NoBackoff(), 0)


@pytest.fixture
async def valkey() -> AsyncIterator[Path]:
    """Socket of a Valkey of its own, in a directory whose name is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="feed") as directory:
        socket = Path(directory, "valkey.sock")
        options = ("--port", "0", "--unixsocket", str(socket), "--dir", directory, "--save", "")
        program = await asyncio.to_thread(valkey_program.find)
        process = await asyncio.create_subprocess_exec(
            program.path, *options, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"eady to accept connections" not in await process.stdout.readline():
                assert not process.stdout.at_eof()
        yield socket
        process.terminate()
        await process.communicate()


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
async def client(request: pytest.FixtureRequest, valkey: Path) -> AsyncIterator[redis.asyncio.Redis]:
    connected = redis.asyncio.Redis(unix_socket_path=str(valkey), protocol=request.param)
    yield connected
    await connected.aclose()


async def first(client: redis.asyncio.Redis, last_id: str = "") -> list[feed.FeedEvent]:
    """The first events that a reader gets."""
    batches = feed.tail(client, last_id)
    async with asyncio.timeout(PATIENCE_S), contextlib.aclosing(batches):
        async for events in batches:
            if events:
                return events
    return []


async def test_what_is_published_is_read_in_order_and_masked(client: redis.asyncio.Redis) -> None:
    live = feed.Feed(client, enabled=True)
    live.publish("claimed", who="•••67", codes=2)
    live.publish("answered", who="380671234567", segments=1)
    await live.flush()
    events = await first(client)
    assert [(event.kind, event.fields) for event in events] == [
        ("claimed", {"who": "•••67", "codes": 2}),
        ("answered", {"who": "••••", "segments": 1}),
    ]


async def test_the_task_writes_by_itself(client: redis.asyncio.Redis) -> None:
    live = feed.Feed(client, enabled=True)
    task = asyncio.create_task(live.run())
    live.publish("claimed")
    assert [event.kind for event in await first(client, "0-0")] == ["claimed"]
    task.cancel()


async def test_a_disabled_feed_writes_nothing(client: redis.asyncio.Redis) -> None:
    live = feed.Feed(client, enabled=False)
    live.publish("claimed")
    await live.flush()
    assert await client.exists(keys.FEED) == 0


async def test_the_worker_writes_too(client: redis.asyncio.Redis, valkey: Path) -> None:
    with redis.Redis(unix_socket_path=str(valkey)) as worker:
        await asyncio.to_thread(feed.publish_many, worker, [feed.event("settled", count=3)])
    assert [(event.kind, event.fields) for event in await first(client)] == [("settled", {"count": 3})]


async def test_the_stream_is_capped(client: redis.asyncio.Redis) -> None:
    live = feed.Feed(client, enabled=True)
    for batch in range(4):
        for number in range(500):
            live.publish("claimed", number=batch * 500 + number)
        await live.flush()
    assert feed.LENGTH <= int(await client.xlen(keys.FEED)) < feed.LENGTH + 200
    assert len(await first(client)) == feed.BACKLOG


async def test_too_much_at_once_drops_the_oldest_and_counts_it(client: redis.asyncio.Redis) -> None:
    live = feed.Feed(client, enabled=True)
    for number in range(1_010):
        live.publish("claimed", number=number)
    await live.flush()
    assert live.dropped == 10


async def test_a_redis_that_is_away_costs_only_the_picture(tmp_path: Path) -> None:
    nobody = str(tmp_path / "nobody.sock")
    live = feed.Feed(redis.asyncio.Redis(unix_socket_path=nobody, retry=ASYNC_ONCE), enabled=True)
    live.publish("claimed")
    await live.flush()
    feed.publish_many(redis.Redis(unix_socket_path=nobody, retry=ONCE), [feed.event("settled")])
    assert live.dropped == 1


@pytest.fixture
async def api(client: redis.asyncio.Redis) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application()
    app.add_routes(feed_http.routes(client))
    async with TestClient(TestServer(app)) as served:
        yield served


async def read_events(response: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            line = await response.content.readline()
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
    return found


async def test_a_reader_gets_what_was_and_what_comes(
    client: redis.asyncio.Redis, api: TestClient[web.Request, web.Application]
) -> None:
    live = feed.Feed(client, enabled=True)
    live.publish("claimed", who="•••67")
    await live.flush()
    async with api.get(feed_http.PATH) as response:
        assert response.content_type == "text/event-stream"
        was = await read_events(response, 1)
        live.publish("answered")
        await live.flush()
        came = await read_events(response, 1)
    assert [(event["kind"], event["fields"]) for event in was + came] == [
        ("claimed", {"who": "•••67"}),
        ("answered", {}),
    ]


async def test_a_reader_goes_on_where_it_was(
    client: redis.asyncio.Redis, api: TestClient[web.Request, web.Application]
) -> None:
    live = feed.Feed(client, enabled=True)
    live.publish("one")
    live.publish("two")
    await live.flush()
    seen = (await first(client))[0].id
    async with api.get(feed_http.PATH, headers={"Last-Event-ID": seen}) as response:
        assert [event["kind"] for event in await read_events(response, 1)] == ["two"]
    async with api.get(feed_http.PATH, headers={"Last-Event-ID": "rubbish"}) as response:
        assert [event["kind"] for event in await read_events(response, 2)] == ["one", "two"]


async def test_without_redis_it_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    app = web.Application()
    away = redis.asyncio.Redis(unix_socket_path=str(tmp_path / "nobody.sock"), retry=ASYNC_ONCE)
    app.add_routes(feed_http.routes(away))
    async with TestClient(TestServer(app)) as served, served.get(feed_http.PATH) as response:
        assert (response.status, response.content_type) == (503, "application/problem+json")


async def test_readers_are_bounded(api: TestClient[web.Request, web.Application]) -> None:
    async with contextlib.AsyncExitStack() as open_readers:
        for _ in range(8):
            response = await open_readers.enter_async_context(api.get(feed_http.PATH))
            assert response.status == 200
        async with api.get(feed_http.PATH) as ninth:
            assert ninth.status == 503
