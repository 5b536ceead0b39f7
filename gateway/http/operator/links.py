"""`GET /v1/links`: the operator's view of the links to SMSCs, under the operator's token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from gateway.http.auth import admit
from gateway.store.links import reports

PATH = "/v1/links"


def routes(
    redis: Redis, token: str, *, firms: Callable[[], Sequence[int]], links: Sequence[str]
) -> list[web.RouteDef]:
    """The route. `token`: what an operator shows as a bearer (RFC 6750); without one nobody may ask."""

    async def handle(request: web.Request) -> web.Response:
        admit(request, token)
        said = await reports.read(redis, links)
        waiting = await reports.queues(redis, firms(), links)
        body: list[dict[str, Any]] = []
        for name in links:
            report, queue = said[name], waiting[name]
            told = {"state": "unheld"} if report is None else asdict(report)
            body.append(
                {"name": name, **told, "queue": dict(queue.texts), "oldest_s": round(queue.oldest_s, 1)}
            )
        return web.json_response({"links": body}, headers={"Cache-Control": "no-store"})

    return [web.get(PATH, handle)]
