"""Whether the gateway may be given work: every part is asked, each within a bound, and the worst one counts.

Nothing is changed by asking. A part that does not answer in time is told as failed, and not asked a second
time while the first question still waits.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import Engine, select

from config.settings import RedisSettings
from gateway.domain.links import health
from gateway.domain.links.health import Grade, Part
from gateway.store.calls import reports as call_reports
from gateway.store.integrity import redis_state
from gateway.store.integrity.redis_state import Presence, Standing
from gateway.store.links import backlog
from gateway.store.links import reports as link_reports
from gateway.store.redis import fitness, keys

WITHIN_S = 2.0
KEPT_S = 1.0  # an answer serves whoever asks within this time
DURABILITY_KEPT_S = 10.0

IN_QUEUES = ("links", "worker", "blasts", "settlement", "suspects", "dead_letters")

Ask = Callable[[], Awaitable[list[Part]]]


class Question:
    """One thing that is asked, at most once at a time, and its latest answer. `parts`: that it is about."""

    def __init__(self, parts: Sequence[str], ask: Ask, kept_s: float) -> None:
        self._parts = parts
        self._ask = ask
        self._kept_s = kept_s
        self._asked: asyncio.Task[list[Part]] | None = None
        self._answer: list[Part] = []
        self._until = 0.0

    async def answer(self) -> list[Part]:
        """The parts that this question is about."""
        if self._asked is None:
            if time.monotonic() < self._until:
                return self._answer
            self._asked = asyncio.create_task(self._put())
        await asyncio.wait({self._asked}, timeout=WITHIN_S)
        if self._asked is not None:
            return self._failed(f"no answer within {WITHIN_S:g} s")
        return self._answer

    async def _put(self) -> list[Part]:
        try:
            self._answer = await self._ask()
        except Exception as err:  # noqa: BLE001 - whatever keeps a part from answering is its answer
            self._answer = self._failed(f"does not answer ({type(err).__name__})")
        finally:
            self._until = time.monotonic() + self._kept_s
            self._asked = None
        return self._answer

    def _failed(self, told: str) -> list[Part]:
        return [Part(name=name, grade=Grade.FAILED, told=told) for name in self._parts]


class Readiness:
    """Asks everything. `redis`, `sync_redis`: the claims' Redis; `firms`, `links`: whose queues count.

    `calls`: whether calls are taken here at all.
    """

    def __init__(
        self,
        *,
        redis: AsyncRedis,
        sync_redis: Redis,
        engine: Engine,
        deployment: str,
        settings: RedisSettings,
        firms: Callable[[], Sequence[int]],
        links: Sequence[str],
        calls: bool = False,
    ) -> None:
        self._redis = redis
        self._sync_redis = sync_redis
        self._engine = engine
        self._deployment = deployment
        self._settings = settings
        self._firms = firms
        self._links = links
        self._questions = (
            Question(("redis",), self._durability, DURABILITY_KEPT_S),
            Question(("presence",), self._presence, KEPT_S),
            Question(("sql",), self._sql, KEPT_S),
            Question(IN_QUEUES, self._queues, KEPT_S),
            *((Question(("calls",), self._calls, KEPT_S),) if calls else ()),
        )

    async def parts(self) -> list[Part]:
        """How every part stands."""
        answers = await asyncio.gather(*(question.answer() for question in self._questions))
        return [part for answer in answers for part in answer]

    async def _durability(self) -> list[Part]:
        found = await fitness.assess(self._redis, self._settings)
        grade = Grade.FAILED if found.faults else Grade.DEGRADED if found.warnings else Grade.OK
        told = "; ".join((found.server, *found.faults, *found.warnings))
        return [Part(name="redis", grade=grade, told=told)]

    async def _presence(self) -> list[Part]:
        standing: Standing = await asyncio.to_thread(
            redis_state.look, self._engine, self._sync_redis, self._deployment
        )
        whole = standing.presence is Presence.WHOLE
        told = standing.presence.value if whole else f"{standing.presence.value}: {standing.presence.mend}"
        return [Part(name="presence", grade=Grade.OK if whole else Grade.FAILED, told=told)]

    async def _sql(self) -> list[Part]:
        def ask() -> None:
            with self._engine.connect() as connection:
                connection.execute(select(1))

        await asyncio.to_thread(ask)
        return [Part(name="sql", grade=Grade.OK, told=self._engine.dialect.name)]

    async def _queues(self) -> list[Part]:
        waiting = await backlog.read(self._redis, self._firms(), self._links)
        worker = await self._redis.get(keys.status("worker"))
        blasts = await self._redis.get(keys.status("blasts"))
        held = await link_reports.read(self._redis, self._links)
        return [
            health.links({name: report.state if report else None for name, report in held.items()}),
            health.worker(_said(worker)),
            health.blasts(_said(blasts)),
            health.settlement(waiting.oldest_s, waiting.texts),
            health.suspects(waiting.suspects, waiting.suspected_s),
            health.dead_letters(waiting.dead, waiting.outcomes, waiting.receipts),
        ]

    async def _calls(self) -> list[Part]:
        reports = await call_reports.read(self._redis)
        return [health.calls({report.process: report.fault for report in reports})]


def _said(raw: bytes | str | None) -> dict[str, Any] | None:
    return None if raw is None else json.loads(raw)
