"""How much waits in Redis: texts to settle, answers to send, dead letters. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from gateway.domain.priority import IN_ORDER
from gateway.store import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """`oldest_s`: age in seconds of the oldest text that waits for settlement; 0 when none waits."""

    oldest_s: float
    texts: int
    dead: int
    answers: Mapping[str, int]  # by link


async def read(redis: Redis, firms: Sequence[int], links: Sequence[str]) -> Backlog:
    """What waits now, in one round trip. Raises RedisError."""
    pipe: Any = redis.pipeline(transaction=False)
    pipe.time()
    for firm in firms:
        pipe.xrange(keys.outbox(firm), count=1)
        pipe.xlen(keys.outbox(firm))
        pipe.xlen(keys.dead(firm))
        for link in links:
            for queue in keys.sends(firm, link):
                pipe.xlen(queue)
    (seconds, micros), *answers = await pipe.execute()
    oldest: list[float] = []
    texts = dead = 0
    sending = dict.fromkeys(links, 0)
    per_link = len(IN_ORDER)
    width = 3 + per_link * len(links)
    for at in range(0, len(answers), width):
        first, waiting, laid_aside, *queues = answers[at : at + width]
        texts += waiting
        dead += laid_aside
        oldest += [int(id_.split(b"-", 1)[0]) / 1000 for id_, _ in first]
        for at_link, link in enumerate(links):
            sending[link] += sum(queues[at_link * per_link : (at_link + 1) * per_link])
    now = int(seconds) + int(micros) / 1e6
    oldest_s = max(0.0, now - min(oldest)) if oldest else 0.0
    return Backlog(oldest_s=oldest_s, texts=texts, dead=dead, answers=sending)
