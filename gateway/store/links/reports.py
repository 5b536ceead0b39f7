"""What the process that holds a link says of it, and what waits to leave by it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import Redis

from gateway.domain.links.routing import Health
from gateway.domain.sms.priority import IN_ORDER
from gateway.store.redis import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """A link as its holder sees it; it holds no number and no text.

    `state`: bound, partial, connecting, down, stopping. `fault`: why it is not bound, last. `holder`:
    machine and process. `window`: segments that may be without a response at most, `in_flight`: how many
    are. `pace`: segments a second that the SMSC was found to take, while it throttles; 0: it does not.
    `taken`: texts taken from the queue and not ended. Rates are a second, of the last two or so. `binds`:
    each one's `bind` (its kind) and the `host` at which it stands, "" where it does not.
    """

    state: str
    fault: str
    holder: str
    window: int
    pace: float
    in_flight: int
    taken: int
    received: int
    submitted: int
    throttled: int
    received_per_s: float
    submitted_per_s: float
    binds: Sequence[Mapping[str, str]] = ()

    @property
    def health(self) -> Health:
        """Whether texts may be given to it."""
        if self.state not in ("bound", "partial"):
            return Health.DEAD
        return Health.THROTTLED if self.pace else Health.WELL


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkQueue:
    """What waits for a link. `texts`: by priority, with those on their way. `oldest_s`: age of the first."""

    texts: Mapping[str, int]
    oldest_s: float


async def tell(redis: Redis, link: str, report: LinkReport) -> None:
    """Say it; it is forgotten after STATUS_TTL unless it is said again. Raises RedisError."""
    await redis.set(keys.link_status(link), json.dumps(asdict(report)), ex=keys.STATUS_TTL)


async def read(redis: Redis, links: Sequence[str]) -> dict[str, LinkReport | None]:
    """What is said of each link; None where no process holds it. Raises RedisError."""
    if not links:
        return {}
    raw = await redis.mget([keys.link_status(link) for link in links])
    return {
        link: None if said is None else LinkReport(**json.loads(said))
        for link, said in zip(links, raw, strict=True)
    }


async def reporting(redis: Redis) -> list[str]:
    """The links that some process holds now, whatever the settings of this one say. Raises RedisError."""
    head, tail = keys.link_status("*").split("*")
    names = [name.decode() async for name in redis.scan_iter(match=keys.link_status("*"), count=1000)]
    return sorted(name.removeprefix(head).removesuffix(tail) for name in names)


async def queues(redis: Redis, firms: Sequence[int], links: Sequence[str]) -> dict[str, LinkQueue]:
    """What waits for each link over all firms, in one round trip. Raises RedisError."""
    pipe: Any = redis.pipeline(transaction=False)
    pipe.time()
    for link in links:
        for firm in firms:
            for queue in keys.sends(firm, link):
                pipe.xlen(queue)
                pipe.xrange(queue, count=1)
    (seconds, micros), *answers = await pipe.execute()
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    found: dict[str, LinkQueue] = {}
    each = 2 * len(IN_ORDER) * len(firms)
    for at, link in enumerate(links):
        part = answers[at * each : (at + 1) * each]
        lengths, firsts = part[::2], part[1::2]
        texts = {str(p): sum(lengths[n :: len(IN_ORDER)]) for n, p in enumerate(IN_ORDER)}
        came = [int(rows[0][0].split(b"-", 1)[0]) for rows in firsts if rows]
        oldest_s = max(0.0, (now_ms - min(came)) / 1000) if came else 0.0
        found[link] = LinkQueue(texts=texts, oldest_s=oldest_s)
    return found
