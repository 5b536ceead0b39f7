"""`GET /v1/calls`: calls to the free numbers now and since a moment, under the operator's token."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

from aiohttp import web
from redis.asyncio import Redis
from sqlalchemy import Engine

from gateway.domain.written import instants
from gateway.http.auth import admit
from gateway.http.problems import Kind, Problem
from gateway.store.calls import records, reports

PATH = "/v1/calls"


def routes(redis: Redis, engine: Engine, token: str) -> list[web.RouteDef]:
    """The route. `token`: the operator's; without one nobody may ask."""

    async def handle(request: web.Request) -> web.Response:
        admit(request, token)
        since = _since(request.query.get("since"))
        now = await reports.read(redis)
        found = await asyncio.to_thread(records.figures, engine, instants.ms_of(since))
        rate = found.answer_rate
        told = {
            "now": sum(report.calls for report in now),
            "processes": [asdict(report) for report in now],
            "since": since.isoformat(timespec="seconds"),
            "answer_rate": None if rate is None else round(rate, 4),
            **asdict(found),
        }
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    return [web.get(PATH, handle)]


def _since(text: str | None) -> datetime:
    """A moment of RFC 3339; by default today's first, UTC. Raises Problem."""
    if text is None:
        return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as err:
        told = "since: a moment such as 2026-05-01T00:00:00Z is needed."
        raise Problem(Kind.BAD_REQUEST, 400, told) from err
