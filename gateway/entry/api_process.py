"""The API process: web activation, health, metrics, and the live feed where the simulator is enabled."""

from __future__ import annotations

import asyncio

from aiohttp import web

from config.settings import Settings
from gateway.entry import process, readiness
from gateway.entry.backing import open_backing, open_redis, redis_url
from gateway.http import feed, health
from gateway.store.connect import async_client

FEED_BLOCKS_S = 2.0


def run(settings: Settings) -> int:
    """Serve until SIGTERM; requests in flight are answered. Exit code."""
    return process.run("api", settings, _main)


async def _main(settings: Settings, stop: asyncio.Event) -> int:
    backing = open_backing(settings)
    redis = await open_redis(backing)
    blocking = async_client(redis_url(settings), settings.redis, blocks_s=FEED_BLOCKS_S)
    app = web.Application()
    app.add_routes(health.routes())
    if settings.simulator.enabled:
        app.add_routes(feed.routes(blocking))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.stop_deadline_s / 2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.http.host, settings.http.port)
        with process.listening("http.port", settings.http.host, settings.http.port):
            await site.start()
        host, port = runner.addresses[0][:2]
        readiness.ready({"API": f"http://{host}:{port}/"})
        await stop.wait()
    finally:
        await runner.cleanup()
        await redis.redis.aclose()
        await blocking.aclose()
    return process.Exit.OK
