"""The queue of offer calls in SQL as one dialer uses it: by Redis' clock, numbers opened by the vault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.offers.blast import Word
from gateway.entry.wiring.backing import Backing
from gateway.store.calls import offer_outcomes, offer_queue
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.offer_queue import Begun, Calling, Due, NotCalled
from gateway.store.offers import blasts
from gateway.store.offers.redis_queue import Offers
from gateway.store.people.shoppers import SEAL_SHOPPER
from gateway.store.redis.clock import FollowedClock


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlQueue:
    """gateway.store.calls.offer_queue as one dialer uses it."""

    backing: Backing
    dialer: str
    clock: FollowedClock

    def running(self) -> list[Calling]:
        """The blasts that call."""
        self.clock.look()
        return offer_queue.running(self.backing.engine, self.clock.now())

    def due(self, blast_id: int, most: int) -> list[Due]:
        """Whom a blast may call."""
        return offer_queue.due(self.backing.engine, blast_id, self.clock.now(), most)

    def begin(self, begun: Sequence[Begun], not_called: Sequence[NotCalled]) -> set[str]:
        """Begin calls."""
        return offer_queue.begin(self.backing.engine, self.dialer, begun, not_called, self.clock.now())

    def end(self, ended: Sequence[Ended]) -> int:
        """File what came of them."""
        return offer_outcomes.end(self.backing.engine, ended)

    def begun(self) -> list[str]:
        """Dialers that have calls without an end."""
        return offer_outcomes.dialers(self.backing.engine)

    def recover(self, dialer: str) -> list[str]:
        """End what a dead one has left."""
        return offer_outcomes.recover(self.backing.engine, dialer, self.clock.now())

    def pause(self, blast_id: int, why: str) -> bool:
        """Pause a blast; False where it does not run. Raises RedisError: then the sweep tells Redis."""
        try:
            turned = blasts.turn(self.backing.engine, blast_id, Word.PAUSE, self.clock.now(), why=why)
        except (blasts.NotNow, LookupError):
            return False
        Offers(self.backing.redis).tell(turned.firm_id, turned.id, turned.state, turned.revision)
        return True

    def number(self, due: Due) -> str:
        """Of whom is called, opened by the vault and counted for the blast."""
        return self.backing.vault.open(SEAL_SHOPPER, due.number, f"blast {due.blast_id}").decode()
