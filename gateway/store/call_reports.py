"""What each IVR process says of its calls now."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from redis.asyncio import Redis

from gateway.store import keys

TELL_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """`process`: machine and process. `calls`: now; `most`: that it takes at once.

    `offers`: calls of blasts that it makes now, ringing ones too; None: it makes none.
    """

    process: str
    calls: int
    most: int
    offers: int | None = None


async def tell(redis: Redis, report: CallReport) -> None:
    """Say it; it is forgotten after STATUS_TTL unless it is said again. Raises RedisError."""
    await redis.set(keys.call_status(report.process), json.dumps(asdict(report)), ex=keys.STATUS_TTL)


async def read(redis: Redis) -> list[CallReport]:
    """Of every process that runs, by its name. Raises RedisError."""
    names = [name async for name in redis.scan_iter(match=keys.call_status("*"), count=1000)]
    said = await redis.mget(names) if names else []
    return sorted((CallReport(**json.loads(s)) for s in said if s), key=lambda report: report.process)
