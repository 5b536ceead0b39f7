"""`undercap simulate`: the SMSC simulator and the page of its handsets."""

from __future__ import annotations

import asyncio

from aiohttp import web

from config.settings import Settings
from gateway.entry.demo import telephone
from gateway.entry.process import process, readiness
from gateway.http.operator import feed
from gateway.store.telemetry.metrics import METRICS, Meter
from smpp.simulator.app import Simulator
from smpp.simulator.smsc import Manners

DEMO_FILE = "demo.json"  # in the state directory; written by `undercap up --demo`


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code; a port that is taken is told in one line."""
    return process.run("simulate", settings, _main)


async def _main(settings: Settings, stop: asyncio.Event) -> int:
    wanted = settings.simulator
    simulator = Simulator(
        host=wanted.host,
        smpp_port=wanted.smpp_port,
        demo=settings.state_dir / DEMO_FILE,
        feed_url=_url(settings.http.host, settings.http.port) + feed.PATH,
        manners=Manners(password=wanted.password.get_secret_value()),
    )
    app = simulator.web_app()
    booth = telephone.join(app, settings)
    meter = Meter()
    meter.open(settings.state_dir / METRICS, "simulate")
    measuring = asyncio.ensure_future(meter.run())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    try:
        with process.listening("simulator.smpp_port", wanted.host, wanted.smpp_port):
            await simulator.start()
        await runner.setup()
        site = web.TCPSite(runner, wanted.host, wanted.http_port)
        with process.listening("simulator.http_port", wanted.host, wanted.http_port):
            await site.start()
        page = _url(wanted.host, int(runner.addresses[0][1])) + "/"
        async with telephone.ringing(booth, settings):
            readiness.ready({"Virtual phones": page, "SMSC": f"{wanted.host}:{simulator.smsc.port}"})
            if not readiness.supervised():
                print(f"Virtual phones: {page}   SMSC: {wanted.host}:{simulator.smsc.port}", flush=True)
            await stop.wait()
    finally:
        measuring.cancel()
        await simulator.stop(settings.stop_deadline_s / 2)
        await runner.cleanup()
    return process.Exit.OK


def _url(host: str, port: int) -> str:
    """Where a browser on this machine, or this process, finds what listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    if ":" in reachable:
        reachable = f"[{reachable}]"
    return f"http://{reachable}:{port}"
