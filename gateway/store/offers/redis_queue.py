"""Blasts in Redis: their state, which is asked before each text leaves, and their texts on the way there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis import Redis

from gateway.domain.offers.blast import ENDED, State
from gateway.domain.sms.priority import Priority
from gateway.store.redis import keys
from gateway.store.redis.functions import script


class Offer(NamedTuple):
    """A text of a blast for the sending queue of `link`. `sealed`: number and text; `at`, `until`: ms.

    `shopper`: the vault's index of the number, for the gate.
    """

    message_id: str
    link: str
    sealed: bytes
    short_number: str
    shopper: str
    at: int
    until: int


class Offers:
    """What the blasts of all firms have in Redis. `redis` answers bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._put = redis.register_script(script("put_offers"))
        self._tell = redis.register_script(script("tell_blast"))

    def tell(self, firm: int, blast: int, state: State, revision: int) -> bool:
        """Make the gate follow a blast; False where a later state stands already. Raises RedisError."""
        names = [keys.blast(firm, str(blast)), keys.blast_course(firm, blast)]
        kept_s = keys.BLAST_ENDED_TTL if state in ENDED else 0
        return bool(self._tell(keys=names, args=[state.value, revision, kept_s]))

    def put(self, firm: int, blast: int, batch: int, offers: Sequence[Offer]) -> bool:
        """Queue a batch, on disk when it returns; False where it was queued before. Raises RedisError."""
        links = sorted({offer.link for offer in offers})
        names = [keys.blast_course(firm, blast), *(keys.send(firm, link, Priority.BULK) for link in links)]
        place = {link: at for at, link in enumerate(links, 1)}
        args: list[Any] = [batch]
        for o in offers:
            args += (place[o.link], o.message_id, o.sealed, o.short_number, o.shopper, o.at, o.until, blast)
        return bool(self._put(keys=names, args=args))

    def standing(self, firm: int, blast: int, links: Sequence[str]) -> tuple[int, dict[str, int]]:
        """The last batch that was put, and how many offers of the firm wait for each link.

        Raises RedisError.
        """
        pipe: Any = self._redis.pipeline(transaction=False)
        pipe.hget(keys.blast_course(firm, blast), "put")
        for link in links:
            pipe.xlen(keys.send(firm, link, Priority.BULK))
        put, *waiting = pipe.execute()
        return int(put or 0), dict(zip(links, map(int, waiting), strict=True))

    def count_trial(self, firm: int) -> int:
        """One more trial text of a firm today; how many that makes. Raises RedisError."""
        pipe: Any = self._redis.pipeline(transaction=True)
        pipe.incr(keys.trials(firm))
        pipe.expire(keys.trials(firm), keys.TRIALS_WINDOW, nx=True)
        return int(pipe.execute()[0])
