"""The SMPP process: links up, texts taken in, answers sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from redis.asyncio import Redis

from config import policies
from config.link_settings import Alphabet, LinkSettings
from config.logging import canonical, mask
from config.settings import Settings
from gateway.domain.links.routing import next_allowed
from gateway.entry.links.holding import HELD_FOR_S, Parts
from gateway.entry.links.links import Links
from gateway.entry.links.overdue import hand_on_overdue
from gateway.entry.links.reload import Reload
from gateway.entry.links.reporting import report
from gateway.entry.process import process, readiness
from gateway.entry.wiring.backing import (
    Backing,
    CatalogKeeper,
    Verifier,
    claim_store,
    gate_store,
    open_backing,
    open_redis,
    redis_url,
)
from gateway.queues.poking import Nudger
from gateway.store.links import failover, reports
from gateway.store.links.lease import Lease, this_process
from gateway.store.links.pace import AccountPace
from gateway.store.redis.connect import async_client
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.telemetry.feed import Feed
from gateway.store.telemetry.metrics import METRICS, Meter
from gateway.store.texts.departures import Departures
from gateway.store.texts.parts import PartKeeper
from gateway.store.texts.receipts import ReceiptLog
from gateway.store.texts.sendqueue import SendQueue, Sent
from gateway.store.vault.access_log import AccessLog
from gateway.usecases.consent.gate import Gate
from smpp.intake.intake import Intake
from smpp.intake.reassembly import Reassembly
from smpp.link.link import Link, LinkState
from smpp.meters import RECEIPT, TrafficMeters
from smpp.protocol.pdus import DeliverSm, Outcome
from smpp.sending.outgoing import Outgoing
from smpp.sending.sender import Sender, describe
from smpp.session.counters import Tally
from smpp.session.session import Session

log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Run until SIGTERM: no new texts, what is in flight is finished, unbind. Exit code."""
    return process.run("smpp", settings, _main)


class Traffic:
    """The links' handler: messages go to the intake, results to the link's sender; tells the live feed."""

    def __init__(self, feed: Feed, meters: TrafficMeters) -> None:
        self.intake: Intake | None = None
        self.senders: dict[str, Sender] = {}
        self._feed = feed
        self._meters = meters

    def on_messages(self, link: Link, session: Session, messages: list[DeliverSm]) -> None:
        """From the link."""
        if self.intake is not None:
            self.intake.take(link, session, messages)

    def on_results(self, link: Link, results: list[Outcome]) -> None:
        """From the link."""
        # A link that was given up is heard to its end; what becomes of its texts is for the next holder.
        if link.name in self.senders:
            self.senders[link.name].on_results(results)

    def on_ready(self, link: Link) -> None:
        """From the link."""
        if link.name in self.senders:
            self.senders[link.name].on_ready()

    def on_state(self, link: Link, state: LinkState) -> None:
        """From the link."""
        # Each attempt passes through these two; the link itself tells an outage, once.
        tell = log.debug if state in (LinkState.CONNECTING, LinkState.DOWN) else log.info
        tell("link", link=link.name, state=str(state), fault=link.fault or None)
        if state is LinkState.STOPPED:
            self._meters.stopped(link)
        self._feed.publish("link", link=link.name, state=str(state))

    def observe_text(
        self,
        outcome: str,
        link: str,
        number: str,
        short_number: str,
        codes: Sequence[str],
        seconds: float | None = None,
    ) -> None:
        """From the intake."""
        self._meters.text(outcome, link, codes, seconds)
        if outcome.startswith(RECEIPT):
            return
        self._feed.publish(
            "text",
            link=link,
            sender=mask(number),
            to=short_number,
            outcome=outcome,
            codes="".join(c[0] for c in codes),
        )

    def observe_answer(self, link: str, sent: Sent, outgoing: Outgoing | None) -> None:
        """From the sender of a link."""
        self._meters.answer(link, sent)
        told = describe(sent, outgoing)
        canonical("answer", **told)
        self._feed.publish("answer", to=told["to"], state=sent.state)


async def _main(settings: Settings, stop: asyncio.Event) -> int:
    backing = open_backing(settings)
    redis = await open_redis(backing)
    blocking = async_client(redis_url(settings), settings.redis, blocks_s=2.0)
    rooms = _furnish(backing, redis, blocking)
    links = rooms.links
    reload = Reload(settings, links, rooms.follow)
    reload.on_signal()
    for link in settings.links:
        links.add(link)
    background: list[Awaitable[Any]] = [
        rooms.keeper.follow(),
        rooms.feed.run(),
        _verify_at_start(rooms.verifier),
        report(links, redis.redis),
        rooms.meters.run(links.links, links.senders, rooms.intake),
        AccessLog(backing.engine, backing.vault, "smpp").run(),
        hand_on_overdue(rooms.reassembly, rooms.intake, links),
    ]
    tasks = [asyncio.ensure_future(work) for work in background]
    reloading = asyncio.ensure_future(reload.run())
    process.collect_less()
    readiness.ready()
    await stop.wait()
    # In this order: no new texts, decide what came, file what was sent; all within the deadline.
    reloading.cancel()
    await asyncio.gather(reloading, return_exceptions=True)
    await links.stop()
    await rooms.intake.idle()
    rooms.meters.write(links.links, links.senders, rooms.intake)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await redis.redis.aclose()
    await blocking.aclose()
    return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rooms:
    """What the process is made of."""

    keeper: CatalogKeeper
    feed: Feed
    verifier: Verifier
    meters: TrafficMeters
    reassembly: Reassembly
    intake: Intake
    links: Links
    codings: dict[str, Mapping[int, Alphabet]]

    def follow(self, settings: Settings) -> None:
        """What depends on links and is no link."""
        self.intake.wait_at_most(_storage_timeout_s(settings))
        self.codings.update(_codings(settings))
        self.meters.declare(link.name for link in settings.links)


def _furnish(backing: Backing, redis: DurableRedis, blocking: Redis) -> Rooms:
    """Build everything; nothing runs yet."""
    settings = backing.settings
    keeper = CatalogKeeper(backing)
    feed = Feed(redis.redis, enabled=settings.simulator.enabled)
    meter = Meter()
    meter.open(settings.state_dir / METRICS, "smpp")
    meters = TrafficMeters(meter, backing.vault)
    meters.declare(link.name for link in settings.links)
    verifier = Verifier(backing, redis.redis)
    codings = _codings(settings)
    parts = PartKeeper(redis, backing.vault, timeout_s=settings.smpp.reassembly_timeout_s)
    reassembly = Reassembly(parts, codings=codings)
    traffic = Traffic(feed, meters)
    store = gate_store(backing, redis, verifier)
    gate = Gate(store, policies.load(), ledger=Departures(backing.engine))

    def make_sender(link: Link, holds: Callable[[], bool]) -> Sender:
        return Sender(
            link,
            SendQueue(
                redis,
                blocking,
                link.name,
                settings.answers.redelivery_window_s,
                verifier,
                deployment=backing.deployment,
            ),
            backing.vault,
            firms=lambda: list(keeper.catalog.firms),
            max_age_s=settings.answers.unsent_max_age_h * 3600,
            observe=partial(traffic.observe_answer, link.name),
            gate=gate,
            pace=_pace(redis.redis, link.settings),
            holds=holds,
        )

    def make_link(link: LinkSettings, tally: Tally) -> Link:
        return Link(link, traffic, tally=tally)

    me = this_process()
    links = Links(
        Parts(
            link=make_link,
            sender=make_sender,
            lease=lambda link: Lease(redis.redis, link, me, HELD_FOR_S),
            successor=partial(_successor, redis.redis),
            move=lambda link, to: failover.move(redis, list(keeper.catalog.firms), link, to),
        ),
        deadline_s=settings.stop_deadline_s * 0.8,
    )
    rooms = Rooms(
        keeper=keeper,
        feed=feed,
        verifier=verifier,
        meters=meters,
        reassembly=reassembly,
        intake=_intake(backing, redis, keeper, verifier, reassembly, traffic, meter),
        links=links,
        codings=codings,
    )
    traffic.intake, traffic.senders = rooms.intake, links.senders
    return rooms


def _intake(
    backing: Backing,
    redis: DurableRedis,
    keeper: CatalogKeeper,
    verifier: Verifier,
    join: Reassembly,
    traffic: Traffic,
    meter: Meter,
) -> Intake:
    settings = backing.settings
    claims = claim_store(backing, redis, verifier)
    return Intake(
        catalog=lambda: keeper.catalog,
        vault=backing.vault,
        claims=claims,
        receipts=ReceiptLog(redis),
        join=join,
        poke=Nudger(backing.queue_redis, meter, "smpp").poke,
        observe=traffic.observe_text,
        max_codes=settings.limits.codes_per_message,
        storage_timeout_s=_storage_timeout_s(settings),
        doubtful=verifier.doubtful,
    )


def _pace(redis: Redis, settings: LinkSettings) -> AccountPace | None:
    """The account's segments a second, where the contract knows a limit."""
    if not settings.segments_per_s:
        return None
    return AccountPace(redis, settings.account or settings.name, settings.segments_per_s)


def _codings(settings: Settings) -> dict[str, Mapping[int, Alphabet]]:
    """What data_coding means on each link."""
    return {link.name: link.data_codings for link in settings.links}


def _storage_timeout_s(settings: Settings) -> float:
    """The intake serves all links, so the least patient operator decides."""
    return min((link.storage_timeout_s for link in settings.links), default=10.0)


async def _successor(redis: Redis, settings: LinkSettings) -> str | None:
    """The link that takes over the texts of one that is gone. Raises RedisError."""
    said = await reports.read(redis, settings.fallbacks)
    health = {name: report.health for name, report in said.items() if report is not None}
    return next_allowed(settings.fallbacks, health)


async def _verify_at_start(verifier: Verifier) -> None:
    """Say early when Redis may not decide; the first text would find out, too."""
    try:
        await verifier()
    except StoreUnavailable as err:
        log.error("intake answers with the temporary status", reason=str(err))
