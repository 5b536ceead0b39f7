"""`GET /v1/problems/{kind}`: what the `type` of a problem leads to, so that it tells whoever looks it up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from gateway.http.problems import PREFIX, Kind, Problem

PAGES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.BAD_REQUEST: "The request is not of the described form; `errors` say where.",
        Kind.KEY: "No API key was shown, or none that stands. Whoever runs this gateway makes them.",
        Kind.ORIGIN: "Only this gateway's own page may ask for this, from its own address (http.public_url).",
        Kind.PIN: "The PIN is wrong, used, spent by tries or too old. Let the shopper ask for a new one.",
        Kind.ALIAS: "Nobody has this alias. Ask for it again, digit by digit.",
        Kind.LIMITED: "Too much was asked for. Nothing was done; try again after Retry-After seconds.",
        Kind.REFUSED: "What was asked for cannot be as it is. `errors` say what to do.",
        Kind.AWAY: "A store is away. Nothing was decided; try again after Retry-After seconds.",
        Kind.HTTP: "No such address, method or media type, or a body that is too large or too slow.",
        Kind.OURS: "A fault of this gateway. Its log has a line with the X-Request-Id of the answer.",
    }
)


def routes() -> list[web.RouteDef]:
    """The route."""

    async def page(request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind not in set(Kind):
            raise Problem(Kind.HTTP, 404, "There is no such problem.")
        return web.Response(text=f"{kind}\n\n{PAGES[Kind(kind)]}\n")

    return [web.get(PREFIX + "{kind}", page)]
