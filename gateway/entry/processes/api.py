"""The API process: web activation, health, metrics, and the live feed where the simulator is enabled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from redis.asyncio import Redis

from campaigns.http import audiences as audience_routes
from campaigns.http import blasts as blast_routes
from campaigns.http.asking import Asking
from config.settings import Settings
from gateway.entry.process import process, readiness
from gateway.entry.wiring.backing import (
    Backing,
    CatalogKeeper,
    Verifier,
    claim_store,
    consent_words,
    open_backing,
    open_redis,
    redis_url,
)
from gateway.entry.wiring.campaigns import blast_desk
from gateway.entry.wiring.link_choice import link_choice
from gateway.entry.wiring.recording import studio
from gateway.http import meters
from gateway.http.activation_service import Desk
from gateway.http.app import Services, application, terms
from gateway.http.door import Door, DoorRunner, room
from gateway.http.firm import messages, persons
from gateway.http.operator import calls, feed, health, metrics
from gateway.http.operator import links as link_routes
from gateway.http.operator import vault as vault_routes
from gateway.queues.poking import Nudger
from gateway.store.codes.owners import Shoppers
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.firms.inquiry_limit import Inquiries
from gateway.store.firms.tills import TillStore
from gateway.store.people.aliases import AliasLookups
from gateway.store.people.pins import PinStore
from gateway.store.redis.connect import async_client
from gateway.store.redis.durable import DurableRedis
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import METRICS, Meter
from gateway.store.texts.sendqueue import ServiceMessages
from gateway.store.vault.access_log import AccessLog
from gateway.usecases.consent.consents import ConsentDesk
from gateway.usecases.operations.link_choice import LinkChoice
from gateway.usecases.operations.readiness import Readiness
from gateway.usecases.people.alias_lookup import LookupDesk
from gateway.usecases.people.pins import PinDesk
from ivr.recordings import http as recording_routes

FEED_BLOCKS_S = 2.0


def run(settings: Settings) -> int:
    """Serve until SIGTERM; requests in flight are answered. Exit code."""
    return process.run("api", settings, _main)


async def _main(settings: Settings, stop: asyncio.Event) -> int:
    backing = open_backing(settings)
    meter = Meter()
    meter.open(settings.state_dir / METRICS, "api")
    redis = await open_redis(backing)
    blocking = async_client(redis_url(settings), settings.redis, blocks_s=FEED_BLOCKS_S)
    keeper = CatalogKeeper(backing)
    choice = link_choice(backing, redis)
    await choice.look()
    services = _services(backing, redis, keeper, meter, choice)
    app = application(services)
    _add_operators_routes(app, backing, redis, keeper)
    _add_marketers_routes(app, backing, keeper, choice)
    token = settings.http.operator_token.get_secret_value()
    inquiries = Inquiries(redis.redis, settings.http.inquiries_per_hour)
    app.add_routes(persons.routes(backing.engine, token, services.keys, services.desk, inquiries))
    if settings.simulator.enabled:
        _add_feed(app, blocking)
    meters.declare(meter, app)
    access = AccessLog(backing.engine, backing.vault, "api")
    door = _door(settings, meter)
    app.middlewares.insert(0, door.middleware)
    works = (keeper.follow(), choice.follow(), access.run(), meter.run(), door.run())
    background = [asyncio.ensure_future(work) for work in works]
    runner = DoorRunner(app, door, access_log=None, shutdown_timeout=settings.stop_deadline_s / 2)
    await runner.setup()
    try:
        await _listen(runner, settings)
        await stop.wait()
    finally:
        await runner.cleanup()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await redis.redis.aclose()
        await blocking.aclose()
        meter.flush()
    return process.Exit.OK


def _door(settings: Settings, meter: Meter) -> Door:
    http = settings.http
    found = room(http.connections, http.connections_per_address, http.trusted_proxies)
    return Door(found, lambda why: meter.count(measures.CONNECTIONS_DROPPED, why))


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    site = web.TCPSite(runner, settings.http.host, settings.http.port)
    with process.listening("http.port", settings.http.host, settings.http.port):
        await site.start()
    host, port = runner.addresses[0][:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    public = settings.http.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    readiness.ready({"API": f"{public}/", "Web page": f"{public}/a"})
    if not readiness.supervised():
        print(f"API: {public}/", flush=True)


def _add_operators_routes(
    app: web.Application, backing: Backing, redis: DurableRedis, keeper: CatalogKeeper
) -> None:
    settings = backing.settings
    links = [link.name for link in settings.links]

    def firms() -> list[int]:
        return list(keeper.catalog.firms)

    asked = Readiness(
        redis=redis.redis,
        sync_redis=backing.redis,
        engine=backing.engine,
        deployment=backing.deployment,
        settings=settings.redis,
        firms=firms,
        links=links,
        calls=settings.ivr.enabled,
    )
    directory = settings.state_dir / METRICS
    app.add_routes(health.routes(asked))
    token = settings.http.operator_token.get_secret_value()
    app.add_routes(link_routes.routes(redis.redis, token, firms=firms, links=links))
    app.add_routes(calls.routes(redis.redis, backing.engine, token))
    app.add_routes(vault_routes.routes(backing.engine, token))
    app.add_routes(messages.routes(backing.engine, token, ApiKeys(backing.engine, backing.vault)))
    app.add_routes(metrics.routes(directory, redis.redis, asked, firms=firms, links=links))


def _add_marketers_routes(
    app: web.Application, backing: Backing, keeper: CatalogKeeper, choice: LinkChoice
) -> None:
    keys = ApiKeys(backing.engine, backing.vault)
    asking = Asking(blast_desk(backing, lambda: keeper.catalog, choice), keys)
    app.add_routes(audience_routes.routes(asking))
    app.add_routes(blast_routes.routes(asking, terms(backing.settings, choice)))
    app.add_routes(recording_routes.routes(backing.engine, keys, studio(backing.settings.ivr)))


def _add_feed(app: web.Application, blocking: Redis) -> None:
    """The live feed, whose streams go on until they are ended: here, when the process stops."""
    streams: set[asyncio.Task[None]] = set()
    app.add_routes(feed.routes(blocking))
    app.middlewares.append(_endless(streams))
    app.on_shutdown.append(_end(streams))


def _services(
    backing: Backing, redis: DurableRedis, keeper: CatalogKeeper, meter: Meter, choice: LinkChoice
) -> Services:
    settings = backing.settings
    verifier = Verifier(backing, redis.redis)
    claims = claim_store(backing, redis, verifier)
    desk = Desk(
        catalog=lambda: keeper.catalog,
        claims=claims,
        owners=Shoppers(redis.redis, backing.engine),
        vault=backing.vault,
        poke=Nudger(backing.queue_redis, meter, "api").poke,
        terms=terms(settings, choice),
        meter=meter,
    )
    pin_desk = PinDesk(
        pins=PinStore(redis, settings.web),
        sends=ServiceMessages(redis, backing.vault),
        vault=backing.vault,
        lives_s=settings.web.pin_ttl_s,
    )
    lookup_desk = LookupDesk(
        tills=TillStore(redis, settings.aliases),
        aliases=AliasLookups(backing.engine),
        alias_key=backing.alias_key,
        meter=meter,
    )
    keys = ApiKeys(backing.engine, backing.vault)
    words = consent_words(backing, redis, verifier)
    consents = ConsentDesk(engine=backing.engine, vault=backing.vault, words=words)
    return Services(
        settings=settings,
        desk=desk,
        pin_desk=pin_desk,
        lookup_desk=lookup_desk,
        keys=keys,
        consents=consents,
    )


def _endless(streams: set[asyncio.Task[None]]) -> Middleware:
    """Remembers the streams that go on until somebody ends them."""

    @web.middleware
    async def remember(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != feed.PATH:
            return await handler(request)
        streams.add(request.task)
        try:
            return await handler(request)
        finally:
            streams.discard(request.task)

    return remember


def _end(streams: set[asyncio.Task[None]]) -> Callable[[web.Application], Awaitable[None]]:
    async def cancel(app: web.Application) -> None:
        del app
        for stream in list(streams):
            stream.cancel()

    return cancel
