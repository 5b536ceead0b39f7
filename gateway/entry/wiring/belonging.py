"""Whether Redis and the database are of one deployment, asked again and again: either may be replaced."""

from __future__ import annotations

import math
import time
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from gateway.entry.wiring.backing import Backing
from gateway.store.integrity import redis_state

EVERY_S: Final = 0.5
_MEND: Final = "mend redis.url or sql.url"


class Belonging:
    """Of one process' stores. `apart`: told once when they do not belong together."""

    def __init__(self, backing: Backing, apart: str) -> None:
        self._backing = backing
        self._apart = Outage(apart)
        self._belongs = False
        self._asked_at = -math.inf

    def __call__(self, *, afresh: bool = False) -> bool:
        """Raises RedisError. `afresh`: asked now, else a moment ago at most.

        A ledger that is away is no other one: it takes nothing by itself.
        """
        now = time.monotonic()
        if afresh or now >= self._asked_at + EVERY_S:
            try:
                self._belongs = not redis_state.foreign(self._backing.engine, self._backing.redis)
            except SQLAlchemyError:
                return True
            self._asked_at = now
            if self._belongs:
                self._apart.over()
            else:
                self._apart.on(_MEND)
        return self._belongs
