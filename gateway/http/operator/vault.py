"""`GET /v1/vault/accesses`: who opened what for which purpose, under the operator's token."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from gateway.domain.written import instants
from gateway.http.auth import admit
from gateway.http.problems import Kind, Problem
from gateway.store.vault import access_report
from gateway.store.vault.access_report import Report, Span

PATH = "/v1/vault/accesses"
PARAMETERS = ("since", "until", "purpose")
MOST_PURPOSE = 20


def routes(engine: Engine, token: str) -> list[web.RouteDef]:
    """The route. `token`: the operator's; without one nobody may ask."""

    async def handle(request: web.Request) -> web.Response:
        admit(request, token)
        found = await asyncio.to_thread(access_report.read, engine, _span(request))
        return web.json_response(_told(found), headers={"Cache-Control": "no-store"})

    return [web.get(PATH, handle)]


def _span(request: web.Request) -> Span:
    """Raises Problem."""
    asked = request.query
    if any(name not in PARAMETERS for name in asked) or len(asked.get("purpose", "")) > MOST_PURPOSE:
        raise Problem(Kind.BAD_REQUEST, 400, f"Of parameters there are {', '.join(PARAMETERS)}.")
    return Span(
        since=_moment(asked.get("since"), access_report.BEGINNING),
        until=_moment(asked.get("until"), access_report.END),
        purpose=asked.get("purpose", ""),
    )


def _moment(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as err:
        told = "since and until are times such as 2026-05-01T09:00:00Z."
        raise Problem(Kind.BAD_REQUEST, 400, told) from err
    return instants.ms_of(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def _told(found: Report) -> dict[str, Any]:
    return {
        "opened": [
            {
                "process": o.process,
                "purpose": o.purpose,
                "opened": o.opened,
                "first_at": _time(o.first_at),
                "last_at": _time(o.last_at),
            }
            for o in found.opened
        ],
        "accesses": [
            {"at": _time(a.accessed_at), "who": a.who, "purpose": a.purpose, "shopper": a.shopper}
            for a in found.accesses
        ],
        "more": found.more,
    }


def _time(ms: int) -> str:
    return instants.told(ms)
