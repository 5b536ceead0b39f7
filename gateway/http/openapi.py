"""`GET /v1/openapi.yaml`: the description of this API, as it stands in the file beside."""

from __future__ import annotations

from importlib.resources import files

from aiohttp import web

PATH = "/v1/openapi.yaml"


def text() -> str:
    """The description (OpenAPI 3.1)."""
    return files("gateway.http").joinpath("openapi.yaml").read_text(encoding="utf-8")


def routes() -> list[web.RouteDef]:
    """The route."""

    async def get(request: web.Request) -> web.Response:
        del request
        # RFC 9512
        return web.Response(text=text(), content_type="application/yaml")

    return [web.get(PATH, get)]
