"""How much waits in Redis: texts to settle, answers to send, what was laid aside. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from gateway.domain.sms.priority import IN_ORDER
from gateway.store.redis import keys

_LOOKED_AT: Final = 50  # of an outbox: behind so many that fail one that does not is not looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """`oldest_s`: age in seconds of the oldest text that waits for settlement; 0 when none waits.

    `suspects`: texts that fail and are tried again, the oldest of them `suspected_s` old; they are no part of
    the above. `dead`: texts laid aside; `outcomes` and `receipts`: those laid aside.
    """

    oldest_s: float
    texts: int
    dead: int
    suspects: int
    suspected_s: float
    outcomes: int
    receipts: int
    answers: Mapping[str, int]  # by link


async def read(redis: Redis, firms: Sequence[int], links: Sequence[str]) -> Backlog:
    """What waits now, in two round trips. Raises RedisError."""
    pipe: Any = redis.pipeline(transaction=False)
    pipe.time()
    for link in links:
        pipe.xlen(keys.receipts_spool(link).aside)
    for firm in firms:
        pipe.xrange(keys.outbox(firm), count=_LOOKED_AT)
        pipe.xlen(keys.outbox(firm))
        pipe.hlen(keys.attempts(firm))
        pipe.xlen(keys.dead(firm))
        pipe.xlen(keys.results_spool(firm).aside)
        for link in links:
            for queue in keys.sends(firm, link):
                pipe.xlen(queue)
    (seconds, micros), *answers = await pipe.execute()
    now = int(seconds) + int(micros) / 1e6
    receipts, answers = sum(answers[: len(links)]), answers[len(links) :]
    per_link = len(IN_ORDER)
    width = 5 + per_link * len(links)
    firsts: dict[int, list[bytes]] = {}
    texts = suspects = dead = outcomes = 0
    sending = dict.fromkeys(links, 0)
    for at_firm, firm in enumerate(firms):
        first, waiting, failing, laid_aside, others, *queues = answers[
            at_firm * width : (at_firm + 1) * width
        ]
        texts += waiting
        suspects += failing
        dead += laid_aside
        outcomes += others
        firsts[firm] = [id_ for id_, _ in first]
        for at_link, link in enumerate(links):
            sending[link] += sum(queues[at_link * per_link : (at_link + 1) * per_link])
    failing_ids = await _suspects(redis, firsts) if suspects else set()
    fresh = [_at(id_) for firm, ids in firsts.items() for id_ in ids if (firm, id_) not in failing_ids]
    return Backlog(
        oldest_s=max(0.0, now - min(fresh, default=now)),
        texts=max(0, texts - suspects),
        dead=dead,
        suspects=suspects,
        suspected_s=max(0.0, now - min((_at(id_) for _, id_ in failing_ids), default=now)),
        outcomes=outcomes,
        receipts=receipts,
        answers=sending,
    )


async def _suspects(redis: Redis, firsts: Mapping[int, Sequence[bytes]]) -> set[tuple[int, bytes]]:
    """Those of the entries, by firm, that have failed before."""
    asked = [(firm, ids) for firm, ids in firsts.items() if ids]
    pipe: Any = redis.pipeline(transaction=False)
    for firm, ids in asked:
        pipe.hmget(keys.attempts(firm), ids)
    found = await pipe.execute()
    return {
        (firm, id_)
        for (firm, ids), told in zip(asked, found, strict=True)
        for id_, said in zip(ids, told, strict=True)
        if said is not None
    }


def _at(id_: bytes) -> float:
    """Seconds since 1970."""
    return int(id_.split(b"-", 1)[0]) / 1000
