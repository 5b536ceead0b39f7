"""What a request shows to be let in: a bearer token (RFC 6750, 2.1), however the header spells it."""

from __future__ import annotations

import hmac
import re

from aiohttp import web

from gateway.http.problems import Kind, Problem
from gateway.store.firms.api_keys import ApiKey, ApiKeys

_BEARER = re.compile(r"Bearer +([A-Za-z0-9_\-]{1,200})", re.IGNORECASE)


def shown_key(request: web.Request) -> str | None:
    """The key itself; None where none of ours can be meant."""
    shown = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    return shown[1] if shown else None


async def firm_of(request: web.Request, keys: ApiKeys) -> int:
    """The firm whose API key a request shows. Raises Problem."""
    return (await key_of(request, keys)).firm_id


async def key_of(request: web.Request, keys: ApiKeys) -> ApiKey:
    """The API key that a request shows. Raises Problem."""
    shown = shown_key(request)
    found = await keys.find(shown) if shown else None
    if found is None:
        told = "Send Authorization: Bearer with an API key of your firm."
        raise Problem(Kind.KEY, 401, told, headers={"WWW-Authenticate": 'Bearer realm="undercap"'})
    return found


def admit(request: web.Request, token: str) -> None:
    """Only for whoever shows the operator's token. Raises Problem."""
    if not shows(request, token):
        told = "An operator's token is needed: see http.operator_token."
        raise Problem(Kind.KEY, 401, told, headers={"WWW-Authenticate": 'Bearer realm="undercap"'})


def shows(request: web.Request, token: str) -> bool:
    """Whether a request shows the operator's token, if there is one."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(shown.strip().encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and right
