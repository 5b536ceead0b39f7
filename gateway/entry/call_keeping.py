"""What the IVR process keeps and tells of its calls: a record of each for SQL, and how many there are now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.domain.message_id import RANDOM_OCTETS, message_id
from gateway.store import call_reports
from gateway.store.call_reports import CallReport
from gateway.store.calls import CallRow
from ivr.talk.record import CallRecord

log = structlog.get_logger()


def row_of(record: CallRecord, firm_id: int | None) -> CallRow:
    """A record as SQL keeps it, under an id of its own."""
    return CallRow(
        id=message_id(record.ended_at, os.urandom(RANDOM_OCTETS)),
        firm_id=firm_id,
        free_number=record.free_number,
        caller=str(record.sight),
        language=record.language,
        keys=record.keys,
        services=",".join(record.services),
        outcome=str(record.end),
        fault=None if record.fault is None else str(record.fault),
        started_at=record.started_at,
        answered_at=record.answered_at,
        ended_at=record.ended_at,
    )


async def tell_now(redis: Redis, calls: Callable[[], int], most: int) -> None:
    """Until cancelled: how many calls this process has, for the operator's view."""
    process = f"{os.uname().nodename} {os.getpid()}"
    while True:
        try:
            await call_reports.tell(redis, CallReport(process=process, calls=calls(), most=most))
        except (RedisError, OSError):
            log.debug("calls not told")
        await asyncio.sleep(call_reports.TELL_EVERY_S)
