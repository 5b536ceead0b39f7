"""The telephone of the virtual phones: joined to the simulator's page, it calls the demo's free number.

And it rings when the demo's Asterisk calls a handset.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from config.settings import Settings
from gateway.entry.demo.calls import lacking
from gateway.entry.demo.numbers import FREE_NUMBER, SHOWN
from gateway.entry.process import process
from ivr.asterisk.instance import HOST
from ivr.prompts import make
from ivr.softphone.booth import Booth, Readiness, Service
from ivr.softphone.call import Line
from ivr.softphone.exchange import Exchange, open_exchange
from smpp.simulator import door, handsets

PATH = "/call"


def join(app: web.Application, settings: Settings) -> Booth:
    """Add the telephone's websocket to the page's application; to be closed with it."""
    line = Line(host=HOST, port=settings.demo.sip_port, number=FREE_NUMBER)
    booth = Booth(line, partial(service, settings), _caller_of, _handset_of)
    app.router.add_get(PATH, partial(_serve, booth))
    return booth


@asynccontextmanager
async def ringing(booth: Booth, settings: Settings) -> AsyncIterator[None]:
    """Calls of the demo's Asterisk ring, where there is one; at the end the booth is closed."""
    demo = settings.demo
    exchange: Exchange | None = None
    if demo.sip_port and demo.handset_port:
        with process.listening("demo.handset_port", HOST, demo.handset_port):
            exchange = await open_exchange(demo.handset_port, (HOST, demo.sip_port), booth.ring)
    try:
        yield
    finally:
        await booth.close()
        if exchange is not None:
            exchange.close()


def service(settings: Settings) -> Service:
    """What the page shows of the free number."""
    if not settings.demo.sip_port:
        why = lacking(settings) or f"`undercap up --demo` brings a line on which to call {SHOWN}."
        return Service(readiness=Readiness.MISSING, why=why)
    if make.missing(settings.ivr.sounds_dir):
        return Service(readiness=Readiness.PREPARING, number=SHOWN)
    return Service(readiness=Readiness.READY, number=SHOWN)


async def _serve(booth: Booth, request: web.Request) -> web.StreamResponse:
    if not door.same_origin(request):
        raise web.HTTPForbidden(text="The telephone is for this page only.\n")
    return await booth.serve(request)


def _caller_of(key: str) -> str | None:
    handset = handsets.by_key(key)
    return handset.number if handset else None


def _handset_of(number: str) -> str | None:
    handset = handsets.by_number(number)
    return handset.key if handset else None
