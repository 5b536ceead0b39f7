"""The API as a process: it answers, tells what is missing, and stops in time with readers at its feed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.exceptions import RedisError
from yarl import URL

from gateway.store.sql import migrate
from gateway.store.vault import master_secret
from tests.databases import Databases
from tests.harness import VALKEY, Gateway


@pytest.fixture
async def gateway(
    tmp_path: Path,
    database: Databases,  # noqa: ARG001 - it is on this one
) -> AsyncIterator[Gateway]:
    """A Valkey, a database and the API process, and nothing else."""
    made = Gateway(state=tmp_path / "gateway", links=[], settings={"simulator": {"enabled": True}})
    settings = made.write_config()
    settings.state_dir.mkdir(mode=0o700)
    master_secret.load_or_make(settings)
    migrate.upgrade(settings.sql_url)
    try:
        made.start(VALKEY)
        await made.until(lambda: _answers(made), "valkey does not answer")
        made.start("api")
        await made.until(lambda: _url(made) != "", "the API does not listen")
        yield made
    finally:
        made.close()


def _answers(gateway: Gateway) -> bool:
    try:
        return bool(gateway.redis().ping())
    except (RedisError, OSError):
        return False


def _url(gateway: Gateway) -> str:
    log = gateway.state / "api.log"
    found = re.search(r"API: (http://\S+)/\s", log.read_text()) if log.exists() else None
    return found[1] if found else ""


async def test_it_lives_and_says_what_is_missing(gateway: Gateway) -> None:
    async with aiohttp.ClientSession(_url(gateway)) as client:
        async with client.get("/healthz") as response:
            assert response.status == 200
        async with client.get("/readyz") as response:
            told: dict[str, Any] = await response.json()
            assert response.status == 503
        async with client.get("/metrics") as response:
            text = await response.text()
    grades = {name: part["status"] for name, part in told["components"].items()}
    assert (grades["redis"], grades["sql"], grades["links"], grades["worker"]) == (
        *("ok", "ok"),
        *("failed", "failed"),
    )
    assert 'undercap_component_status{component="worker"} 2.0' in text.splitlines()


async def test_it_stops_in_time_with_a_reader_at_the_feed(gateway: Gateway) -> None:
    async with aiohttp.ClientSession(_url(gateway)) as client, client.get("/v1/feed") as response:
        assert response.status == 200
        assert await response.content.readany() != b""
        codes = await gateway.stop()
    assert codes["api"] == 0


async def test_requests_are_logged_without_what_was_asked(gateway: Gateway) -> None:
    async with aiohttp.ClientSession(_url(gateway)) as client:
        body = json.dumps({"phone": "+380671234567", "code": "0000-0000-00000"})
        headers = {"Content-Type": "application/json", "Authorization": "Bearer uc_secret-secret"}
        async with client.post("/v1/activations?q=380671234567", data=body, headers=headers) as response:
            assert response.status == 401
        async with client.get("/380671234567") as response:
            assert response.status == 404
    log = gateway.state / "api.log"
    await gateway.until(lambda: log.read_text().count('"route"') == 2, "the requests are not in the log")
    told = log.read_text()
    assert "/v1/activations" in told
    assert [secret for secret in ("380671234567", "0000-0000", "uc_secret") if secret in told] == []


UNREADABLE = [
    ("a header without a colon", b"X-Phone 380671234567\r\n\r\n"),
    ("two lengths", b"Content-Length: 5\r\nContent-Length: 380671234567\r\n\r\n"),
    ("a header without end", b"Authorization: Bearer uc_secret" + b"-secret" * 5000 + b"\r\n\r\n"),
]


@pytest.mark.parametrize("rest", [case[1] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
async def test_requests_that_cannot_be_read_are_logged_without_what_they_say(
    gateway: Gateway, rest: bytes
) -> None:
    url = URL(_url(gateway))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /v1/activations HTTP/1.1\r\nHost: x\r\n" + rest + b"\r\n\r\n")
    async with asyncio.timeout(10):
        while b" 400 " not in await reader.readline():
            pass
    writer.close()
    log = gateway.state / "api.log"
    await gateway.until(lambda: "aiohttp.server" in log.read_text(), "the request is not in the log")
    told = log.read_text()
    assert [said for said in ("380671234567", "0000-0000", "uc_secret", "Traceback") if said in told] == []
