"""`GET /v1/messages/{id}`: what became of one text of ours, under the operator's token or a firm's API key.

The id stands in the log lines of the text and its answer, and in the Location of an activation. What is told
names no number and no words; a firm sees its own texts alone, and nothing of the operator's links.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from gateway.domain.written import instants
from gateway.http.auth import firm_of, shows
from gateway.http.problems import Kind, Problem
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.texts import messages
from gateway.store.texts.messages import Message

OPERATORS_OWN = ("link", "smsc_id")
PATH = "/v1/messages/{id:[0-9a-f]{24}\\.[0-9]{1,18}}"


def routes(engine: Engine, token: str, keys: ApiKeys) -> list[web.RouteDef]:
    """The route. `token`: the operator's; without one only firms may ask."""

    async def handle(request: web.Request) -> web.Response:
        firm = None if shows(request, token) else await firm_of(request, keys)
        found = await asyncio.to_thread(messages.find, engine, request.match_info["id"], firm=firm)
        if found is None:
            raise Problem(Kind.HTTP, 404, "There is no such text; it may wait to be settled.")
        told = _told(found)
        if firm is not None:
            told = {name: value for name, value in told.items() if name not in OPERATORS_OWN}
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    return [web.get(PATH, handle)]


def _told(message: Message) -> dict[str, Any]:
    return {
        **message._asdict(),
        "outcomes": [word for word in message.outcomes.split(",") if word],
        "queued_at": instants.told(message.queued_at),
        "accepted_at": instants.told(message.accepted_at),
        "ended_at": instants.told(message.ended_at),
    }
