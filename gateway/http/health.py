"""Whether the process lives, and whether the gateway may be given work."""

from __future__ import annotations

from aiohttp import web

ALIVE = "/healthz"


def routes() -> list[web.RouteDef]:
    """The routes."""
    return [web.get(ALIVE, _alive)]


async def _alive(request: web.Request) -> web.Response:
    """This process answers; nothing else is asked."""
    del request
    return web.json_response({"status": "ok"})
