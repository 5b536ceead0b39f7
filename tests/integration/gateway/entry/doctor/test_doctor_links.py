"""The doctor tells of a link what its holder tells: a host may take connections and no bind."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from config.link_settings import LinkSettings
from config.settings import RedisSettings, Settings, SmppSettings
from gateway.entry.doctor import checks_processes
from gateway.entry.doctor.findings import Finding, Level
from gateway.store.links import reports
from gateway.store.links.reports import LinkReport
from gateway.store.redis import keys
from gateway.store.redis.connect import async_client
from tests.integration.house import Server

SILENT = "transceiver: no answer to the bind"


def found(url: str, state: Path) -> Finding:
    link = LinkSettings(name="operator", host="127.0.0.1", system_id="x", password=SecretStr("y"))
    settings = Settings(state_dir=state, redis=RedisSettings(url=url), smpp=SmppSettings(links=(link,)))
    return {one.name: one for one in checks_processes.processes(settings)}["binds of operator"]


def tell(url: str, **changes: Any) -> None:
    counts = ("window", "pace", "in_flight", "taken", "received", "submitted", "throttled")
    report: dict[str, Any] = dict.fromkeys((*counts, "received_per_s", "submitted_per_s"), 0)

    async def told() -> None:
        client = async_client(url, RedisSettings(url=url))
        await reports.tell(client, "operator", LinkReport(**report | {"holder": "here 1"} | changes))
        await client.aclose()

    asyncio.run(told())


@pytest.mark.parametrize(
    ("state", "fault", "level", "says"),
    [
        ("bound", "an older one", Level.OK, "bound"),
        ("partial", SILENT, Level.WARN, f"partial: {SILENT}"),
        ("down", SILENT, Level.FAIL, f"down: {SILENT}"),
        ("connecting", "", Level.FAIL, "connecting"),
    ],
)
def test_a_link_is_as_its_holder_tells(
    shared_server: Server, tmp_path: Path, state: str, fault: str, level: Level, says: str
) -> None:
    with Redis.from_url(shared_server.url) as redis:
        redis.flushall()
        redis.set(keys.status("worker"), json.dumps({"ledger": ""}))
    unheld = found(shared_server.url, tmp_path)
    assert (unheld.level, unheld.told) == (Level.FAIL, "no process holds the link")

    tell(shared_server.url, state=state, fault=fault)

    told = found(shared_server.url, tmp_path)
    assert (told.level, told.told, bool(told.mend)) == (level, says, level is not Level.OK)
