"""`GET /v1/aliases/{alias}`: a till asks whether somebody has an alias, under an API key of its firm."""

from __future__ import annotations

import asyncio

from aiohttp import web

from gateway.http.auth import key_of
from gateway.http.concurrency import AtOnce
from gateway.http.problems import Kind, Problem
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.telemetry import measures
from gateway.usecases.people.alias_lookup import CROWDED, Found, LookupDesk, TooMany, look_up

PATH = "/v1/aliases/{alias}"
UNKNOWN_AFTER_S = 0.1  # longer than a lookup takes: time does not tell why an alias is unknown


def routes(keys: ApiKeys, desk: LookupDesk, at_once: int) -> list[web.RouteDef]:
    """The route. `at_once`: lookups that one till may have under way."""
    tills = AtOnce(at_once, lambda: desk.meter.count(measures.ALIAS_LOOKUPS, CROWDED))

    async def get(request: web.Request) -> web.Response:
        with tills.place(request):
            return await _get(request)

    async def _get(request: web.Request) -> web.Response:
        till = await key_of(request, keys)
        due = asyncio.get_running_loop().time() + UNKNOWN_AFTER_S
        answer = await look_up(request.match_info["alias"], till, desk)
        if isinstance(answer, Found):
            told = {"exists": True, "balance": answer.balance}
            return web.json_response(told, headers={"Cache-Control": "no-store"})
        if isinstance(answer, TooMany):
            told_why = "This key has asked for too much. Nothing was looked up."
            raise Problem(Kind.LIMITED, 429, told_why, retry_after_s=answer.wait_s)
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        raise Problem(Kind.ALIAS, 404, "Nobody has this alias; ask for it again, digit by digit.")

    return [web.get(PATH, get, allow_head=False)]
