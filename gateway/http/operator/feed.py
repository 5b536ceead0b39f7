"""`GET /v1/feed`: the live feed as Server-Sent Events (WHATWG HTML, 9.2). Joined only in simulator mode."""

from __future__ import annotations

import asyncio
import re

import redis
import redis.asyncio
from aiohttp import web

from gateway.store.telemetry import feed

PATH = "/v1/feed"
_MOST_READERS = 8
_STREAM_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


def routes(client: redis.asyncio.Redis) -> list[web.RouteDef]:
    """The route. `client` needs a connection to spare for each of at most eight readers."""
    readers = asyncio.Semaphore(_MOST_READERS)

    async def handle(request: web.Request) -> web.StreamResponse:
        if readers.locked():
            return _problem(503, "Too many readers of the live feed", f"At most {_MOST_READERS} at a time.")
        async with readers:
            return await _stream(request, client)

    return [web.get(PATH, handle, allow_head=False)]


async def _stream(request: web.Request, client: redis.asyncio.Redis) -> web.StreamResponse:
    last_id = request.headers.get("Last-Event-ID", "")
    batches = feed.tail(client, last_id if _STREAM_ID.fullmatch(last_id) else "")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    try:
        async for events in batches:
            if not response.prepared:
                await response.prepare(request)
            lines = [f"id: {one.id}\ndata: {one.as_json()}\n\n" for one in events]
            await response.write("".join(lines or [": alive\n\n"]).encode())
    except (redis.RedisError, OSError):
        # Redis or the reader went away. A reader that is still there comes back by itself.
        if not response.prepared:
            return _problem(503, "The live feed is away", "Redis does not answer; try again.")
    finally:
        await batches.aclose()
    return response


def _problem(status: int, title: str, detail: str) -> web.Response:
    return web.json_response(
        {"type": "about:blank", "title": title, "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
        headers={"Retry-After": "2"},
    )
