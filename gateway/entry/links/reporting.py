"""Tells Redis every two seconds how the links of this process stand."""

from __future__ import annotations

import asyncio
import os
import time

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.entry.links.links import Links
from gateway.store.links import reports
from gateway.store.links.reports import LinkReport
from smpp.link.link import Link
from smpp.sending.sender import Sender

STATUS_EVERY_S = 2.0
log = structlog.get_logger()
Moment = tuple[float, int, int]  # when, received and submitted until then


async def report(links: Links, redis: Redis) -> None:
    """Until cancelled: the operator's view and the health page read it."""
    before: dict[str, Moment] = {}
    while True:
        for link in list(links.links):
            sender = links.senders.get(link.name)
            if sender is None:
                continue
            now = (time.monotonic(), link.tally.received, link.tally.submitted)
            told = _report(link, sender, before.get(link.name, now), now)
            before[link.name] = now
            try:
                await reports.tell(redis, link.name, told)
            except (RedisError, OSError):
                log.debug("status not told")
        await asyncio.sleep(STATUS_EVERY_S)


def _report(link: Link, sender: Sender, before: Moment, now: Moment) -> LinkReport:
    passed = max(now[0] - before[0], 0.1)
    return LinkReport(
        state=str(link.state),
        fault=link.fault,
        holder=f"{os.uname().nodename} {os.getpid()}",
        window=link.window,
        pace=sender.pace,
        in_flight=sender.in_flight,
        taken=sender.backlog,
        received=link.tally.received,
        submitted=link.tally.submitted,
        throttled=link.tally.throttled,
        received_per_s=round((now[1] - before[1]) / passed, 1),
        submitted_per_s=round((now[2] - before[2]) / passed, 1),
        binds=[{"bind": kind, "host": host} for kind, host in link.binds],
    )
