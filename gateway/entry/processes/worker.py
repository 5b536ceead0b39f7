"""The worker: RQ's own worker runs the settlements; a sweep nudges it for what a crash left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import structlog
from redis.exceptions import RedisError

from config.outage import Outage
from config.settings import Settings
from gateway.entry.links.names import LinkNames
from gateway.entry.process import process, readiness, rq_worker
from gateway.entry.process.process import GRACE_S, Exit, collect_less
from gateway.entry.process.rq_worker import Worker
from gateway.entry.wiring.backing import Backing, CatalogKeeper, open_backing, refuse_unfit
from gateway.entry.wiring.belonging import Belonging
from gateway.queues import jobs
from gateway.queues.nudge import clear, nudge, queue
from gateway.store.links.lease import this_process
from gateway.store.redis import keys
from gateway.store.sql.faults import LedgerAway
from gateway.store.telemetry import feed
from gateway.store.telemetry.metrics import METRICS
from gateway.store.vault.access_log import WRITE_EVERY_S, AccessLog
from gateway.usecases.settlement.answering import Desk
from gateway.usecases.settlement.drain import Work, drain
from gateway.usecases.settlement.draining import Turns
from gateway.usecases.settlement.meters import SettlingMeters
from gateway.usecases.settlement.settle import Settled

SWEEP_EVERY_S = 2.0
AWAY_WAIT_S = 1.0
log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Run until SIGTERM; the batch at hand is finished. Exit code."""
    process.begin("worker", settings)
    Worker.ended_by_force = partial(process.end_by_force, "worker", settings)
    backing = open_backing(settings)
    asyncio.run(refuse_unfit(backing))
    keeper = CatalogKeeper(backing)
    meters = SettlingMeters(backing.vault)
    meters.meter.open(settings.state_dir / METRICS, "worker")
    desk = Settling(backing, keeper, meters)
    meters.declare(desk.links())
    jobs.configure(desk.settle)
    sweep = threading.Thread(target=_sweep, args=(backing, keeper, desk), name="sweep", daemon=True)
    sweep.start()
    _take_on(backing)
    collect_less()
    readiness.ready()
    rq_worker.work(backing.queue_redis, queue)
    Worker.stopping.set()
    sweep.join(timeout=GRACE_S)
    return Exit.OK


def _take_on(backing: Backing) -> None:
    """Begin with what waits: a worker that was killed may have taken a nudge with it."""
    with contextlib.suppress(RedisError, OSError):  # else the sweep finds it
        clear(backing.queue_redis)
        nudge(backing.queue_redis)


class Settling:
    """The job's body with all that it needs."""

    def __init__(self, backing: Backing, keeper: CatalogKeeper, meters: SettlingMeters) -> None:
        self.ledger_away = ""
        self.meters = meters
        self.links = LinkNames(backing.settings)
        self._receipts_kept_ms = int(backing.settings.answers.receipts_max_age_d * 86_400_000)
        self._backing = backing
        self._keeper = keeper
        self._token = str(this_process())
        self._turns = Turns()
        self._desk: Desk | None = None
        self._away = Outage("ledger away; texts wait in the outbox")
        self.belongs = Belonging(
            backing, "nothing is settled: Redis is of another deployment than the database"
        )

    def settle(self) -> int:
        """Clear the nudge before the first read, then drain; a ledger that is away is waited for."""
        clear(self._backing.queue_redis)
        if not self.belongs(afresh=True):
            Worker.stopping.wait(AWAY_WAIT_S)
            return 0
        self._keeper.refresh()
        try:
            settled = drain(self._work())
        except LedgerAway as err:
            self.ledger_away = str(err)
            self.meters.ledger_away()
            self._away.on(str(err))
            Worker.stopping.wait(AWAY_WAIT_S)
            return 0
        self.ledger_away = ""
        self._away.over()
        return settled

    def _work(self) -> Work:
        return Work(
            redis=self._backing.redis,
            desk=self._current,
            links=self.links(),
            accounts=self.links.accounts(),
            receipts_kept_ms=self._receipts_kept_ms,
            token=self._token,
            observe=self._observe,
            passed=self.meters.passed,
            stop=lambda: Worker.stopping.is_set() or not self.belongs(),
            turns=self._turns,
        )

    def _current(self, *, renew: bool = False) -> Desk:
        if renew:
            self._keeper.refresh()
        if self._desk is None or self._desk.catalog is not self._keeper.catalog:
            self._desk = Desk(
                engine=self._backing.engine,
                vault=self._backing.vault,
                catalog=self._keeper.catalog,
                alias_key=self._backing.alias_key,
                consent_reply_ms=int(self._backing.settings.answers.consent_reply_d * 86_400_000),
                aliases=self._backing.settings.aliases,
            )
        return self._desk

    def _observe(self, done: Sequence[Settled]) -> None:
        answered = sum(1 for s in done if s.reply is not None)
        now_ms = time.time() * 1000
        self.meters.settled(done, now_ms)
        log.info(
            "settled",
            texts=len(done),
            answers=answered,
            oldest_ms=round(now_ms - done[0].accepted.at),
            activated=sum(s.outcomes.count("activated") for s in done),
        )
        if self._backing.settings.simulator.enabled:
            events = [
                feed.event("settled", outcome=", ".join(s.outcomes), to=s.accepted.short_number) for s in done
            ]
            feed.publish_many(self._backing.redis, events)


def _sweep(backing: Backing, keeper: CatalogKeeper, settling: Settling) -> None:
    """Nudge for whatever waits: a nudge may have been lost with a process or a Redis."""
    access = AccessLog(backing.engine, backing.vault, "worker")
    written = time.monotonic()
    away = Outage("sweep waits for redis")
    while not Worker.stopping.wait(SWEEP_EVERY_S):
        settling.meters.write()
        if time.monotonic() - written >= WRITE_EVERY_S:
            access.write()
            written = time.monotonic()
        try:
            if settling.belongs():  # else it is another deployment's page
                _report(backing, settling)
            keeper.refresh()
            if _anything_waits(backing, keeper, settling.links()) and nudge(backing.queue_redis):
                settling.meters.nudged()
        except (RedisError, OSError) as err:
            away.on(type(err).__name__)
        except Exception:  # without the sweep, what a crash left would wait for ever
            log.exception("sweep failed; it goes on")
        else:
            away.over()
    access.write()


def _report(backing: Backing, settling: Settling) -> None:
    """Tell Redis that a worker lives, for the health page."""
    body = json.dumps({"ledger": settling.ledger_away})
    backing.redis.set(keys.status("worker"), body, ex=keys.STATUS_TTL)


def _anything_waits(backing: Backing, keeper: CatalogKeeper, links: Iterable[str]) -> bool:
    pipe: Any = backing.redis.pipeline(transaction=False)
    for firm_id in keeper.catalog.firms:
        pipe.xlen(keys.outbox(firm_id))
        pipe.xlen(keys.results(firm_id))
    for link in links:
        pipe.xlen(keys.receipts(link))
    return any(pipe.execute())
