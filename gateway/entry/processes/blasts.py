"""The process that runs blasts: RQ's worker for their jobs, and the sweep that finds what a crash left.

It is apart from the worker so that no settlement, and so no answer to a shopper, waits for marketing.
"""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from campaigns.fan_out.fan_out import FanOut
from campaigns.lifecycle import jobs
from campaigns.lifecycle.runner import AWAY, Running
from campaigns.meters import BlastMeters
from config.settings import Settings
from gateway.entry.process import process, readiness, rq_worker
from gateway.entry.process.process import GRACE_S, Exit, collect_less
from gateway.entry.process.rq_worker import Worker
from gateway.entry.processes.blast_sweep import Sweep
from gateway.entry.wiring.backing import Backing, CatalogKeeper, open_backing, redis_url, refuse_unfit
from gateway.entry.wiring.belonging import Belonging
from gateway.entry.wiring.campaigns import blast_desk
from gateway.entry.wiring.link_choice import link_choice
from gateway.store.redis.connect import async_client
from gateway.store.redis.durable import DurableRedis
from gateway.store.telemetry.metrics import METRICS
from gateway.usecases.operations.link_choice import LinkChoice


def run(settings: Settings) -> int:
    """Run until SIGTERM; the batch at hand is finished. Exit code."""
    process.begin("blasts", settings)
    Worker.ended_by_force = partial(process.end_by_force, "blasts", settings)
    backing = open_backing(settings)
    asyncio.run(refuse_unfit(backing))
    client = async_client(redis_url(settings), settings.redis)
    choice = link_choice(backing, DurableRedis(client))
    threading.Thread(target=_follow, args=(choice,), name="links", daemon=True).start()
    keeper = CatalogKeeper(backing)
    meters = BlastMeters()
    meters.open(settings.state_dir / METRICS)
    running = _running(backing, keeper, choice, meters)
    belongs = Belonging(backing, "no blast goes on: Redis is of another deployment than the database")
    jobs.configure(partial(_job, running, belongs))
    sweep = Sweep(partial(_sweep, running, belongs, keeper, meters), backing.redis, Worker.stopping)
    sweeping = threading.Thread(target=sweep.run, name="sweep", daemon=True)
    sweeping.start()
    threading.Thread(target=sweep.report, name="report", daemon=True).start()
    collect_less()
    readiness.ready()
    rq_worker.work(backing.queue_redis, jobs.queue)
    Worker.stopping.set()
    sweeping.join(timeout=GRACE_S)
    return Exit.OK


def _follow(choice: LinkChoice) -> None:
    """How the links stand, in a loop of its own, until the process ends."""
    asyncio.run(choice.follow())


def _running(backing: Backing, keeper: CatalogKeeper, choice: LinkChoice, meters: BlastMeters) -> Running:
    desk = blast_desk(backing, lambda: keeper.catalog, choice)
    fan_out = FanOut(desk, observe=meters.drawn)
    return Running(desk, fan_out, stop=Worker.stopping.is_set)


def _job(running: Running, belongs: Belonging, blast_id: int) -> str:
    """Batches of a blast, where its texts would go to the Redis of its own deployment. Raises RedisError."""
    return running.job(blast_id) if belongs(afresh=True) else AWAY


def _sweep(running: Running, belongs: Belonging, keeper: CatalogKeeper, meters: BlastMeters) -> None:
    """Raises RedisError, SQLAlchemyError."""
    keeper.refresh()
    if belongs(afresh=True):
        running.sweep()
    meters.meter.flush()
