"""Whether the process lives, and whether the gateway may be given work.

For the operator's own network: a proxy in front of the shoppers' page should not pass these on.
"""

from __future__ import annotations

from aiohttp import web

from gateway.domain.links.health import Grade, worst
from gateway.usecases.operations.readiness import Readiness

ALIVE = "/healthz"
READY = "/readyz"


def routes(readiness: Readiness) -> list[web.RouteDef]:
    """The routes."""

    async def ready(request: web.Request) -> web.Response:
        """The worst of the parts; 503 when one has failed."""
        del request
        parts = await readiness.parts()
        grade = worst(parts)
        told = {part.name: {"status": part.grade.value, "detail": part.told} for part in parts}
        return web.json_response(
            {"status": grade.value, "components": told},
            status=503 if grade is Grade.FAILED else 200,
            headers={"Cache-Control": "no-store"},
        )

    return [web.get(ALIVE, _alive), web.get(READY, ready)]


async def _alive(request: web.Request) -> web.Response:
    """This process answers; nothing else is asked."""
    del request
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})
