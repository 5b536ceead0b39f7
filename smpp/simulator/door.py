"""Who may open the page, and what the browser may do with it.

Whoever can make this browser send a message could text in a shopper's name: so the websocket takes only its
own origin (RFC 6455, 10.2), and a name that is neither localhost nor an address is refused, since somebody
else's name may be made to point here (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def guard(host: str) -> Middleware:
    """Middleware for a page that listens on `host`: checks the Host header, sets the headers."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_ours(request.host, host):
            return web.Response(
                status=403, text="Open the page by its address or as localhost.\n", headers=HEADERS
            )
        try:
            response = await handler(request)
        except web.HTTPException as err:
            err.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return check


def is_ours(named: str, host: str) -> bool:
    """Whether the Host header `named` is an address, localhost, or the configured `host`."""
    try:
        name = urlsplit(f"//{named}").hostname or ""
        if name in ("localhost", host.lower()):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_origin(request: web.Request) -> bool:
    """Whether the page that asks came from here. A request without an origin did not."""
    try:
        origin = urlsplit(request.headers.get("Origin", ""))
    except ValueError:
        return False
    return origin.scheme in ("http", "https") and origin.netloc.lower() == request.host.lower()
