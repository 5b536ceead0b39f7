"""What stands about one shopper while a page waits: which codes are theirs, until when they are limited."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis
from sqlalchemy import Engine, select

from gateway.domain.codes.catalog import Issued
from gateway.store.redis import keys
from gateway.store.sql import schema

Code = tuple[int, int]  # space, serial
_TOLD = 6  # in keys.LIMITS: until when the shopper was told to wait


class Shoppers:
    """Asks the claim records first and the ledger after: a record goes only when the ledger has the claim."""

    def __init__(self, redis: Redis, engine: Engine) -> None:
        self._redis = redis
        self._engine = engine

    async def own(self, shopper: str, codes: Sequence[Issued]) -> dict[Code, int]:
        """Those of the claimed `codes` that this shopper has: when they were credited, ms since 1970.

        0: claimed, and not yet in the ledger. Raises RedisError, SQLAlchemyError.
        """
        if not codes:
            return {}
        records = await asyncio.gather(
            *(self._redis.get(keys.claim(c.firm_id, c.space_id, c.serial)) for c in codes)
        )
        found: dict[Code, int] = {}
        settled: list[Issued] = []
        for code, record in zip(codes, records, strict=True):
            if record is None:
                settled.append(code)
            elif _text(record).partition("|")[0] == shopper:
                found[code.space_id, code.serial] = 0
        if settled:
            found |= await asyncio.to_thread(self._in_ledger, shopper, settled)
        return found

    async def limited_until(self, firm: int, shopper: str) -> int:
        """Until when codes of this shopper are not looked at, seconds since 1970. Raises RedisError."""
        packed = await self._redis.get(keys.limits(firm, shopper))
        return int(keys.LIMITS.unpack(packed)[_TOLD]) if isinstance(packed, bytes) else 0

    def _in_ledger(self, shopper: str, codes: Sequence[Issued]) -> dict[Code, int]:
        t = schema.activation
        wanted = {(code.space_id, code.serial) for code in codes}
        query = (
            select(t.c.space_id, t.c.serial, t.c.claimed_at)
            .join(schema.shopper, schema.shopper.c.id == t.c.shopper_id)
            .where(schema.shopper.c.key == shopper, t.c.serial.in_([code.serial for code in codes]))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {(space, serial): at for space, serial, at in rows if (space, serial) in wanted}


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()
