"""Texts of a link that is gone leave by another: moved in Redis, each with the doubt that stands for it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import script

AT_ONCE = 100
_MOVE = script("move")


async def move(redis: DurableRedis, firm_ids: Sequence[int], link: str, to: str) -> int:
    """Move all that waits for `link`; how many texts. May be repeated. Raises RedisError.

    Only for the holder of `link`, and while its sender does not run.
    """
    total = 0
    for firm_id in firm_ids:
        pairs = zip(keys.sends(firm_id, link), keys.sends(firm_id, to), strict=True)
        names = [
            *(keys.intents(firm_id, link), keys.intents(firm_id, to)),
            *(queue for pair in pairs for queue in pair),
        ]
        moved = AT_ONCE
        while moved == AT_ONCE:
            moved = int(await redis.call("EVAL", _MOVE, len(names), *names, AT_ONCE))
            total += moved
    return total
