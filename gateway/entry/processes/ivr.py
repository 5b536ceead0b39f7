"""The IVR process: Asterisk hands over calls by FastAGI, shoppers hear and key."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

import structlog

from config.settings import Settings
from config.texts import LANGUAGES
from gateway.entry.process import process, readiness
from gateway.entry.process.process import SetupFaultError
from gateway.entry.wiring.asterisk_watch import AsteriskWatch
from gateway.entry.wiring.backing import Backing, CatalogKeeper, open_backing, open_redis
from gateway.entry.wiring.call_keeping import record_of, row_of, tell_now
from gateway.entry.wiring.calls import call_desk
from gateway.entry.wiring.dialer import OfferCalls, make_offer_calls
from gateway.entry.wiring.link_choice import link_choice
from gateway.store.calls.journal import FOLDER, CallJournal
from gateway.store.calls.record_writer import CallLog
from gateway.store.calls.records import LOST, CallRow
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import METRICS, Meter
from gateway.store.vault.access_log import AccessLog
from gateway.usecases.calls.free_number import CHANNEL
from gateway.usecases.codes.activation import CLAIM_WORDS
from ivr.agi import probe, wire
from ivr.agi.faults import AgiError
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer, Script
from ivr.meters import CallMeters
from ivr.offer.runner import PATH as OFFER_PATH
from ivr.prompts import make
from ivr.talk.record import CallRecord
from ivr.talk.runner import FreeNumberTalk, Line
from ivr.talk.service import WITHIN_S

FLUSH_EVERY_S: Final = 1.0
SLACK_S: Final = 30.0  # a call's own time ends first, with a goodbye
LAST_S: Final = 1.0  # of the stop deadline, to write what was counted and recorded
log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Take calls until SIGTERM; calls in progress may finish, then Asterisk apologises. Exit code."""
    return process.run("ivr", settings, _main)


async def _main(settings: Settings, stop: asyncio.Event) -> int:
    line = _line(settings)
    backing = open_backing(settings)
    meter = Meter()
    meter.open(settings.state_dir / METRICS, "ivr")
    redis = await open_redis(backing)
    keeper = CatalogKeeper(backing)
    choice = link_choice(backing, redis)
    await choice.look()
    desk = call_desk(backing, redis, keeper, meter, choice)
    meters = CallMeters(meter, lambda: server.calls)
    meters.declare(LANGUAGES)
    meter.declare(measures.CLAIMS, (CHANNEL,), CLAIM_WORDS)
    book = _book(backing, meters)
    hosts = partial(_host, line, keeper)

    def row(record: CallRecord) -> CallRow:
        return row_of(record, hosts(record.free_number))

    def ended(record: CallRecord) -> None:
        meters.ended(record)
        book.add(row(record))

    routes: dict[str, Script] = {
        "/free": FreeNumberTalk(line, desk, ended, lambda record: book.note(row(record))),
        probe.ROUTE: probe.who,
    }
    offers = make_offer_calls(backing, redis, keeper, desk, choice, meter) if settings.ivr.dial else None
    if offers is not None:
        routes[OFFER_PATH] = offers.talk
    watch = offers or AsteriskWatch(settings.ivr.ami, meter)
    server = AgiServer(routes, _limits(settings), meters.fault)
    access = AccessLog(backing.engine, backing.vault, "ivr")
    now = tell_now(
        redis.redis,
        lambda: server.calls,
        settings.ivr.most_calls,
        lambda: (len(offers.table) if offers else None, watch.fault),
    )
    works = [keeper.follow(), choice.follow(), access.run(), _flush(meters, watch), book.run(), now]
    background = [asyncio.ensure_future(work) for work in works]
    try:
        await _listen(server, settings)
        # The talks of calls that are made come to this server.
        background += [asyncio.ensure_future(work) for work in watch.works()]
        await stop.wait()
    finally:
        # Calls may end by themselves; then a wish that was begun is still done.
        talks = server.stop(max(0.0, settings.stop_deadline_s - WITHIN_S - LAST_S))
        await watch.end(talks)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        book.close()
        await redis.redis.aclose()
        meters.write()
    return process.Exit.OK


def _book(backing: Backing, meters: CallMeters) -> CallLog:
    """The records of calls, with those that a process has left that was killed."""
    journal = CallJournal(backing.settings.state_dir / FOLDER)
    left = journal.open()
    for row in left:
        if row.outcome == LOST:  # what was over is counted
            meters.ended(record_of(row))
    return CallLog(backing.engine, journal, left)


def _host(line: Line, keeper: CatalogKeeper, free_number: str) -> int | None:
    """The firm that hosts the short number of a free number."""
    short = keeper.catalog.short_numbers.get(line.short_numbers.get(free_number, ""))
    return short.host_firm_id if short else None


async def _listen(server: AgiServer, settings: Settings) -> None:
    host, port = settings.ivr.agi_host, settings.ivr.agi_port
    with process.listening("ivr.agi_port", host, port):
        port = await server.start(host, port)
    process.collect_less()
    readiness.ready({"FastAGI": f"agi://{host}:{port}"})
    if not readiness.supervised():
        print(f"FastAGI: agi://{host}:{port}", flush=True)


def _line(settings: Settings) -> Line:
    """The free numbers. Raises SetupFaultError where Asterisk could not be told where the prompts are."""
    ivr = settings.ivr
    directory = ivr.sounds_dir.absolute()
    try:
        wire.playlists([str(directory)], wire.MOST_COMMAND)
    except AgiError as err:
        raise SetupFaultError(
            f"ivr.sounds_dir: only letters, digits and . _ + - / may be in {directory}"
        ) from err
    if not settings.demo.sip_port and (absent := make.missing(directory)):  # the demo makes them just now
        some = ", ".join(absent[:3])
        log.warning("prompts are missing", count=len(absent), some=some, mend="run `undercap prompts make`")
    return Line(
        short_numbers={free.number: free.short_number for free in ivr.free_numbers},
        sounds_dir=str(directory),
        key_wait_s=ivr.key_wait_s,
        most_silences=ivr.most_silences,
        most_call_s=float(ivr.most_call_s),
        region=ivr.region,
        countries=frozenset(ivr.countries),
    )


def _limits(settings: Settings) -> AgiLimits:
    return AgiLimits(most_calls=settings.ivr.most_calls, call_s=settings.ivr.most_call_s + SLACK_S)


async def _flush(meters: CallMeters, watch: OfferCalls | AsteriskWatch) -> None:
    while True:
        watch.write()
        meters.write()
        await asyncio.sleep(FLUSH_EVERY_S)
