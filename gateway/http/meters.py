"""What the API process can count, shown as 0 until it happens."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.http.door import REASONS
from gateway.store.people.pins import Asked
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.codes.activation import CLAIM_WORDS
from gateway.usecases.people.alias_lookup import LOOKUP_WORDS

_STATUSES: Final = ("200", "500", "503")  # what alarms compare; another status is shown once it was answered
_NO_ROUTE: Final = "none"


def declare(meter: Meter, app: web.Application) -> None:
    """To be called when all routes are there."""
    routes = {resource.canonical for resource in app.router.resources()} | {_NO_ROUTE}
    meter.declare(measures.REQUESTS, sorted(routes), _STATUSES)
    meter.declare(measures.REQUEST_S, sorted(routes))
    meter.declare(measures.CONNECTIONS_DROPPED, REASONS)
    meter.declare(measures.ALIAS_LOOKUPS, LOOKUP_WORDS)
    meter.declare(measures.TILLS_STOPPED)
    meter.declare(measures.PINS, (*(f"asked {asked}" for asked in Asked), "right", "wrong"))
    meter.declare(measures.CLAIMS, ("web", "api"), CLAIM_WORDS)
