"""What went wrong, as problem+json (RFC 9457): a closed set of kinds, never what was sent to us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from aiohttp import web

PREFIX = "/v1/problems/"  # what stands there tells of it: gateway.http.problem_pages


class Kind(StrEnum):
    """The `type` of a problem, behind PREFIX. Clients may rely on these."""

    BAD_REQUEST = "bad-request"  # not JSON, or not of the described form
    KEY = "key"  # no API key, or none that stands
    ORIGIN = "origin"  # from another site's page
    PIN = "pin"  # wrong, used, spent or too old
    ALIAS = "alias"  # nobody has it
    LIMITED = "limited"  # too many tries; see Retry-After
    REFUSED = "refused"  # what the firm asked for cannot be as it is; `errors` say what to do
    AWAY = "away"  # nothing was decided; the same again later
    HTTP = "http"  # no such address, method or media type
    OURS = "ours"  # a fault of the gateway


class Problem(Exception):
    """Ends a request with a problem. `retry_after_s`: when the same may be tried again; `more`: members."""

    def __init__(
        self,
        kind: Kind,
        status: int,
        detail: str,
        *,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})
        self.more = more

    def response(self) -> web.Response:
        """As it goes out."""
        body = {
            "type": PREFIX + self.kind,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        headers = {**self.headers, "Cache-Control": "no-store"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, self.retry_after_s))
        text = json.dumps(body, ensure_ascii=False)
        return web.Response(
            text=text, status=self.status, content_type="application/problem+json", headers=headers
        )


def refused(*why: str) -> Problem:
    """What the firm asked for cannot be as it is. `why`: each fault, and what to do."""
    errors = [{"pointer": "#", "detail": line} for line in why]
    return Problem(Kind.REFUSED, 409, "This cannot be done as it is.", errors=errors)


def away() -> Problem:
    """The store or the ledger is away for now."""
    told = "The gateway cannot store or look this up now. Nothing is lost by trying again."
    return Problem(Kind.AWAY, 503, told, retry_after_s=5)


def of_http(error: web.HTTPException) -> Problem:
    """One of aiohttp's own errors, such as 404 or 405."""
    kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")}
    return Problem(Kind.HTTP, error.status, HTTPStatus(error.status).description, headers=kept)
