"""`GET /metrics`: what all processes of this machine have counted, and what waits in Redis now.

For the operator's own network: a proxy in front of the shoppers' page should not pass it on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.domain.links.health import WORSE
from gateway.store.links import backlog
from gateway.store.telemetry.metrics import Reading, exposition
from gateway.usecases.operations.readiness import Readiness

PATH = "/metrics"
FORMAT = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' text exposition format


def routes(
    directory: Path,
    redis: Redis,
    readiness: Readiness,
    *,
    firms: Callable[[], Sequence[int]],
    links: Sequence[str],
) -> list[web.RouteDef]:
    """The route. `directory`: where the processes count."""
    alone = asyncio.Lock()

    async def handle(request: web.Request) -> web.Response:
        del request
        async with alone:
            readings = [*await _waiting(redis, firms(), links), await _grades(readiness)]
            body = await asyncio.to_thread(exposition, directory, readings)
        return web.Response(body=body, headers={"Content-Type": FORMAT, "Cache-Control": "no-store"})

    return [web.get(PATH, handle)]


async def _waiting(redis: Redis, firms: Sequence[int], links: Sequence[str]) -> list[Reading]:
    try:
        waiting = await backlog.read(redis, firms, links)
    except (RedisError, OSError):
        return []
    return [
        Reading(
            name="undercap_settlement_lag_seconds",
            told="Age of the oldest text that waits for settlement",
            values={"": waiting.oldest_s},
        ),
        Reading(
            name="undercap_outbox_texts",
            told="Texts that wait for settlement",
            values={"": waiting.texts},
        ),
        Reading(
            name="undercap_dead_letters",
            told="Texts that could not be settled",
            values={"": waiting.dead},
        ),
        Reading(
            name="undercap_laid_aside",
            told="What could not be written to SQL and waits for somebody",
            label="kind",
            values={"text": waiting.dead, "outcome": waiting.outcomes, "receipt": waiting.receipts},
        ),
        Reading(
            name="undercap_suspect_texts",
            told="Texts that fail while others are settled, and are tried again",
            values={"": waiting.suspects},
        ),
        Reading(
            name="undercap_sending_answers",
            told="Answers that wait or are on their way",
            label="link",
            values=waiting.answers,
        ),
    ]


async def _grades(readiness: Readiness) -> Reading:
    return Reading(
        name="undercap_component_status",
        told="0 ok, 1 degraded, 2 failed, as /readyz says",
        label="component",
        values={part.name: WORSE.index(part.grade) for part in await readiness.parts()},
    )
