"""What a request shows to be let in: a bearer token (RFC 6750, 2.1), however the header spells it."""

from __future__ import annotations

import re

from aiohttp import web

_BEARER = re.compile(r"Bearer +([A-Za-z0-9_\-]{1,200})", re.IGNORECASE)


def shown_key(request: web.Request) -> str | None:
    """The key itself; None where none of ours can be meant."""
    shown = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    return shown[1] if shown else None
