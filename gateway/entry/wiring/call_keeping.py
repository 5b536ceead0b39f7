"""What the IVR process keeps and tells of its calls: a record of each for SQL, and how many there are now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.store.calls import reports
from gateway.store.calls.records import CallRow
from gateway.store.calls.reports import CallReport
from ivr.agi.faults import Fault
from ivr.talk.caller import Sight
from ivr.talk.record import CallRecord
from ivr.talk.steps import CallEnd, Service

log = structlog.get_logger()


def row_of(record: CallRecord, firm_id: int | None) -> CallRow:
    """A record as SQL keeps it."""
    return CallRow(
        id=record.id,
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


def record_of(row: CallRow) -> CallRecord:
    """The same the other way round."""
    return CallRecord(
        id=row.id,
        free_number=row.free_number,
        sight=Sight(row.caller),
        language=row.language,
        started_at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        keys=row.keys,
        services=tuple(map(Service, filter(None, row.services.split(",")))),
        end=CallEnd(row.outcome),
        fault=None if row.fault is None else Fault(row.fault),
    )


async def tell_now(
    redis: Redis,
    calls: Callable[[], int],
    most: int,
    offers: Callable[[], tuple[int | None, str]] = lambda: (None, ""),
) -> None:
    """Until cancelled: how many calls this process has, for the operator's view.

    `offers`: those of blasts, None where it makes none, and why it can make none now.
    """
    process = f"{os.uname().nodename} {os.getpid()}"
    while True:
        try:
            made, fault = offers()
            report = CallReport(process=process, calls=calls(), most=most, offers=made, fault=fault)
            await reports.tell(redis, report)
        except (RedisError, OSError):
            log.debug("calls not told")
        await asyncio.sleep(reports.TELL_EVERY_S)
