"""What each IVR process says of its calls now."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from redis.asyncio import Redis

from gateway.store.redis import keys
from gateway.store.redis.functions import script

TELL_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """`process`: machine and process. `calls`: now; `most`: that it takes at once.

    `offers`: calls of blasts that it makes now, ringing ones too; None: it makes none. `fault`: why it can
    make none now, in a sentence for an operator.
    """

    process: str
    calls: int
    most: int
    offers: int | None = None
    fault: str = ""


async def tell(redis: Redis, report: CallReport) -> None:
    """Say it; it is forgotten after STATUS_TTL unless it is said again. Raises RedisError."""
    await _ask(redis, report.process, json.dumps(asdict(report)))


async def read(redis: Redis) -> list[CallReport]:
    """Of every process that runs, by its name. Raises RedisError."""
    said = await _ask(redis)
    return sorted((CallReport(**json.loads(s)) for s in said), key=lambda report: report.process)


async def _ask(redis: Redis, *told: str) -> list[bytes]:
    answer: Any = redis.eval(_NOW, 1, keys.CALLS_NOW, keys.STATUS_TTL, *told)
    said: list[bytes] = await answer
    return said


_NOW: Final = script("calls_now")
