"""The doctor's checks of the processes that work on their own, by what they tell Redis of themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError

from config.settings import Settings
from gateway.domain.links import health
from gateway.domain.links.health import Grade, Part
from gateway.entry.doctor.findings import Finding, fail, good, warn
from gateway.entry.valkey.place import redis_url
from gateway.store.calls import reports
from gateway.store.links import reports as link_reports
from gateway.store.links.reports import LinkReport
from gateway.store.redis import keys
from gateway.store.redis.connect import async_client, sync_client

_JUDGES = {"worker": health.worker, "blasts": health.blasts}


def processes(settings: Settings) -> Iterator[Finding]:
    """Each lives and gets on; nothing is said where Redis does not answer, since its own check says so."""
    try:
        said = _said(settings)
    except (RedisError, OSError):
        return
    if not any(said.values()):
        yield warn("processes", "none runs", "`undercap up` starts them")
        return
    for name, judge in _JUDGES.items():
        yield _found(judge(said[name]))
    for name, report in asyncio.run(_links(settings)).items():
        yield _link(name, report)
    if settings.ivr.enabled:
        part = health.calls(asyncio.run(_calls(settings)))
        if part.grade is Grade.OK or ": is `" in part.told:
            yield _found(part)
        else:
            yield fail(part.name, part.told, "start Asterisk, or mend ivr.ami and its trunk")


def _found(part: Part) -> Finding:
    if part.grade is Grade.OK:
        return good(part.name, part.told)
    told, _, mend = part.told.partition(": ")
    return fail(part.name, told, mend or "mend what is away; it goes on by itself")


def _link(link: str, report: LinkReport | None) -> Finding:
    """What the holder of a link says: a host that takes a connection may still take no bind."""
    name = f"binds of {link}"
    if report is None:
        return fail(name, "no process holds the link", "start `undercap smpp`, or `undercap up`")
    told = f"{report.state}: {report.fault}" if report.fault and report.state != "bound" else report.state
    mend = "ask the operator about system_id, password and binds; see `undercap smpp links`"
    if report.state == "bound":
        return good(name, told)
    return warn(name, told, mend) if report.state == "partial" else fail(name, told, mend)


async def _links(settings: Settings) -> dict[str, LinkReport | None]:
    """What is said of each link. Raises RedisError."""
    client = async_client(redis_url(settings), settings.redis)
    try:
        return await link_reports.read(client, [link.name for link in settings.links])
    finally:
        await client.aclose()


async def _calls(settings: Settings) -> dict[str, str]:
    """What is in the way of each process that takes or makes calls. Raises RedisError."""
    client = async_client(redis_url(settings), settings.redis)
    try:
        return {report.process: report.fault for report in await reports.read(client)}
    finally:
        await client.aclose()


def _said(settings: Settings) -> dict[str, Any]:
    """What each tells of itself; None for one that is silent. Raises RedisError."""
    client = sync_client(redis_url(settings), settings.redis)
    try:
        raw: dict[str, Any] = {name: client.get(keys.status(name)) for name in _JUDGES}
    finally:
        client.close()
    return {name: None if found is None else json.loads(found) for name, found in raw.items()}
