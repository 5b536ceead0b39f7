"""The SMPP process: links up, texts taken in, answers sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

import structlog
from redis.exceptions import RedisError

from config.logging import canonical, mask
from config.outage import Outage
from config.settings import Settings
from gateway.entry import process
from gateway.entry.backing import CatalogKeeper, Verifier, open_backing, open_redis, redis_url
from gateway.entry.supervision import readiness
from gateway.queues.poking import Nudger
from gateway.store import keys
from gateway.store.access_log import AccessLog
from gateway.store.claims import ClaimStore, StoreUnavailable
from gateway.store.connect import async_client
from gateway.store.feed import Feed
from gateway.store.metrics import METRICS, Meter
from gateway.store.parts import PartKeeper
from gateway.store.receipts import ReceiptLog
from gateway.store.sendqueue import SendQueue, Sent
from smpp import statuses
from smpp.intake import Intake
from smpp.link import Link, LinkState
from smpp.meters import RECEIPT, TrafficMeters
from smpp.pdus import DeliverSm, Outcome
from smpp.reassembly import Reassembly
from smpp.sender import Outgoing, Sender, describe
from smpp.session import Session

STATUS_EVERY_S = 2.0
OVERDUE_EVERY_S = 5.0
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
    keeper = CatalogKeeper(backing)
    feed = Feed(redis.redis, enabled=settings.simulator.enabled)
    meter = Meter()
    meter.open(settings.state_dir / METRICS)
    meters = TrafficMeters(meter, backing.vault)
    traffic = Traffic(feed, meters)
    verifier = Verifier(backing, redis.redis)
    parts = PartKeeper(redis, backing.vault, timeout_s=settings.smpp.reassembly_timeout_s)
    reassembly = Reassembly(parts, codings={link.name: link.data_codings for link in settings.links})

    claims = ClaimStore(
        redis,
        deployment=backing.deployment,
        limits=settings.limits,
        answers=settings.answers,
        verify=verifier,
    )
    intake = traffic.intake = Intake(
        catalog=lambda: keeper.catalog,
        vault=backing.vault,
        claims=claims,
        receipts=ReceiptLog(redis),
        join=reassembly,
        poke=Nudger(backing.queue_redis, meter, "smpp").poke,
        observe=traffic.observe_text,
        max_codes=settings.limits.codes_per_message,
        storage_timeout_s=min((link.storage_timeout_s for link in settings.links), default=10.0),
    )
    links = [Link(link, traffic) for link in settings.links]
    blocking = async_client(redis_url(settings), settings.redis, blocks_s=2.0)
    for link in links:
        traffic.senders[link.name] = Sender(
            link,
            SendQueue(redis, blocking, link.name, settings.answers.redelivery_window_s, verifier),
            backing.vault,
            firms=lambda: list(keeper.catalog.firms),
            max_age_s=settings.answers.unsent_max_age_h * 3600,
            observe=partial(traffic.observe_answer, link.name),
        )
    background: list[Awaitable[Any]] = [
        keeper.follow(),
        feed.run(),
        _verify_at_start(verifier),
        _report(links, traffic, redis.redis),
        meters.run(links, traffic.senders, intake),
        AccessLog(backing.engine, backing.vault, "smpp").run(),
        _hand_on_overdue(reassembly, intake, links),
        *(link.run() for link in links),
    ]
    sending = [asyncio.ensure_future(s.run()) for s in traffic.senders.values()]
    tasks = [asyncio.ensure_future(work) for work in background]
    process.collect_less()
    readiness.ready()
    await stop.wait()
    await _stop(settings, links, intake, traffic, sending)
    meters.write(links, traffic.senders, intake)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await redis.redis.aclose()
    await blocking.aclose()
    return 0


async def _stop(
    settings: Settings,
    links: Sequence[Link],
    intake: Intake,
    traffic: Traffic,
    sending: Sequence[asyncio.Future[None]],
) -> None:
    """In this order: no new texts, decide what came, file what was sent; all within the deadline."""
    deadline_s = settings.stop_deadline_s * 0.8
    for sender in traffic.senders.values():
        sender.stop()
    await asyncio.gather(*(link.stop(deadline_s) for link in links))
    await intake.idle()
    if sending:
        await asyncio.wait(sending, timeout=max(1.0, deadline_s / 4))
    for task in sending:
        task.cancel()


async def _verify_at_start(verifier: Verifier) -> None:
    """Say early when Redis may not decide; the first text would find out, too."""
    try:
        await verifier()
    except StoreUnavailable as err:
        log.error("intake answers with the temporary status", reason=str(err))


async def _report(links: Sequence[Link], traffic: Traffic, redis: Any) -> None:
    """Tell Redis how the links stand, for the health page."""
    while True:
        body = {
            "links": {
                link.name: {
                    "state": str(link.state),
                    "fault": link.fault,
                    "backlog": traffic.senders[link.name].backlog,
                }
                for link in links
            },
            "intake": traffic.intake.backlog if traffic.intake else 0,
        }
        try:
            await redis.set(keys.status("smpp"), json.dumps(body), ex=keys.STATUS_TTL)
        except (RedisError, OSError):
            log.debug("status not told")
        await asyncio.sleep(STATUS_EVERY_S)


class _Handed:
    """Hands on what is left of a long text, and waits for the word that it was stored."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def answer(self, sequence: int, status: int) -> bool:
        """From the intake."""
        del sequence
        if self.status.done():
            return False
        self.status.set_result(status)
        return True


async def _hand_on_overdue(reassembly: Reassembly, intake: Intake, links: Sequence[Link]) -> None:
    """Texts of which a part never came are read as far as they came; those without effect are tried again."""
    by_name = {link.name: link for link in links}
    away = Outage("overdue parts wait for redis")
    while links:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            for overdue, message in await reassembly.overdue():
                handed = _Handed()
                intake.take(by_name.get(overdue.origin.link, links[0]), handed, [message])
                # A temporary status leaves it where it is: it is due again.
                if await handed.status in {statuses.ROK, statuses.RINVDSTADR}:
                    await reassembly.drop(overdue)
        except (RedisError, OSError) as err:
            away.on(type(err).__name__)
        else:
            away.over()
