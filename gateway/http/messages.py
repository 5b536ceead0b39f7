"""`GET /v1/messages/{id}`: what became of one text of ours, under the operator's token.

The id stands in the log lines of the text and its answer; the answer tells no number and no words.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from gateway.http.links import admit
from gateway.http.problems import Kind, Problem
from gateway.store import messages
from gateway.store.messages import Message

PATH = "/v1/messages/{id:[0-9a-f]{24}\\.[0-9]{1,18}}"


def routes(engine: Engine, token: str) -> list[web.RouteDef]:
    """The route. `token`: the operator's; without one nobody may ask."""

    async def handle(request: web.Request) -> web.Response:
        admit(request, token)
        found = await asyncio.to_thread(messages.find, engine, request.match_info["id"])
        if found is None:
            raise Problem(Kind.HTTP, 404, "There is no such text; it may wait to be settled.")
        return web.json_response(_told(found), headers={"Cache-Control": "no-store"})

    return [web.get(PATH, handle)]


def _told(message: Message) -> dict[str, Any]:
    return {
        **message._asdict(),
        "outcomes": [word for word in message.outcomes.split(",") if word],
        "queued_at": _time(message.queued_at),
        "ended_at": None if message.ended_at is None else _time(message.ended_at),
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
