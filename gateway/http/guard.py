"""Around every request: errors as problems, headers that keep pages safe, one log line, measures.

And who asks: the peer's address, and whether a POST comes from our own page.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.written.outside import fits
from gateway.http.problems import Kind, Problem, away, of_http
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.sql.faults import Blame, blame, word
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter

Networks = Sequence[IPv4Network | IPv6Network]
IPV6_PREFIX = 64  # what one household or server is given; less would be addresses without end
CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE = f"{CLOSED}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
QUIET = ("/healthz", "/readyz", "/metrics", "/a/")  # routes that begin so are told when debugging
_REPEATABLE = ("/v1/activations", "/v1/persons/")  # POSTs that may be repeated by their nature
log = structlog.get_logger()


def middleware(meter: Meter) -> Middleware:
    """For the whole application."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.monotonic()
        # Ours, never the client's: theirs may hold anything, and it is logged.
        id_ = secrets.token_hex(8)
        response = await _answered(request, handler, id_)
        if not response.prepared:
            response.headers["X-Request-Id"] = id_
        seconds = time.monotonic() - begun
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        meter.count(measures.REQUESTS, route, str(response.status))
        meter.observe(measures.REQUEST_S, seconds, route)
        tell = log.debug if route.startswith(QUIET) else log.info
        # The path itself may hold anything; the route is ours.
        took_ms = round(seconds * 1000, 1)
        told = {"id": id_, "method": request.method, "route": route}
        tell("request", **told, status=response.status, ms=took_ms)
        return response

    return around


async def _answered(request: web.Request, handler: Handler, id_: str) -> web.StreamResponse:
    try:
        if not fits(request.path) or not fits(request.query_string):
            raise Problem(Kind.BAD_REQUEST, 400, "The URL has a character that is none (NUL).")
        _refuse_unkept_key(request)
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return of_http(error).response()
    except (StoreUnavailable, RedisError, SQLAlchemyError, OSError, TimeoutError) as err:
        if isinstance(err, SQLAlchemyError) and blame(err) is Blame.ROW:  # asked again it would fail again
            log.exception("request failed", id=id_)
            return _ours()
        log.warning("request put off", id=id_, reason=word(err))
        return away().response()
    except Exception:
        log.exception("request failed", id=id_)
        return _ours()


def _ours() -> web.Response:
    return Problem(Kind.OURS, 500, "Something went wrong here. It was noted.").response()


def _refuse_unkept_key(request: web.Request) -> None:
    """Raises Problem for an Idempotency-Key that we would not keep: who sends one relies on it."""
    if request.method != "POST" or "Idempotency-Key" not in request.headers:
        return
    if not request.path.startswith(_REPEATABLE):
        told = (
            "Idempotency-Key is not kept here: send it without, and look what was done before you repeat it."
        )
        raise Problem(Kind.BAD_REQUEST, 400, told)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: for every response, whatever made it."""
    del request
    headers = response.headers
    headers["Server"] = "undercap"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Content-Security-Policy", CLOSED)


def from_our_page(request: web.Request, public_url: str) -> None:
    """Refuse what another site's page sends. Raises Problem.

    A browser says where a POST comes from in Origin (Fetch standard, 3.1) and Sec-Fetch-Site; nothing else
    has business here, so a request that says neither is refused, too. Where the settings do not name our
    address, a name that somebody else could let lead here (DNS rebinding) is none of ours.
    """
    ours = urlsplit(public_url).netloc or request.host
    if not public_url and not _leads_nowhere_else(request.host):
        raise Problem(Kind.ORIGIN, 403, "Who runs this gateway must name its address in http.public_url.")
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if not _names(origin, ours) or site not in (None, "same-origin"):
        raise Problem(Kind.ORIGIN, 403, "Only this site's own page may ask for this.")


def _leads_nowhere_else(host: str) -> bool:
    """An address, this machine's own name, or one without a dot: none that can be had on the Internet.

    >>> [_leads_nowhere_else(h) for h in ("127.0.0.1:80", "[::1]:80", "gate:80", "evil.example:80")]
    [True, True, True, False]
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return "." not in name or name.endswith(".localhost") or _parsed(name) is not None


def _names(origin: str | None, host: str) -> bool:
    try:
        return origin is not None and urlsplit(origin).netloc == host
    except ValueError:  # a bracket that is not closed
        return False


def address(request: web.Request, trusted: Networks) -> str:
    """The network that a request comes from, as text: one IPv4 address, or a /64 of IPv6.

    X-Forwarded-For counts only as far as `trusted` proxies have written it, read from the right.
    """
    peer = _parsed(request.remote or "")
    hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    while hops and peer is not None and any(peer in network for network in trusted):
        nearer = _parsed(hops.pop())
        if nearer is None:
            break
        peer = nearer
    if peer is None:
        return "unknown"
    if isinstance(peer, IPv6Address):
        return str(ip_network((peer, IPV6_PREFIX), strict=False))
    return str(peer)


class UnnamedProxy:
    """Says once that shoppers come through a proxy that the settings do not name: all look like one then."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted
        self._told = False

    def notice(self, request: web.Request) -> None:
        """Look at one request."""
        if self._told or "X-Forwarded-For" not in request.headers:
            return
        peer = _parsed(request.remote or "")
        if peer is None or any(peer in network for network in self._trusted):
            return
        self._told = True
        log.warning("X-Forwarded-For is not believed", mend="name your proxy in http.trusted_proxies")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
