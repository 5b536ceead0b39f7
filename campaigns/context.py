"""What everybody who works with blasts has at hand: the API, the command line, the process that runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from redis import Redis
from sqlalchemy import Engine

from campaigns.eligibility import Looks
from config.policies import Policies
from gateway.domain.codes.catalog import Catalog
from gateway.domain.offers.least_count import Veil
from gateway.domain.offers.sample import Draw, draw_of
from gateway.domain.people.reference import reference_of, shopper_of
from gateway.store.offers.audiences import Audiences
from gateway.store.offers.redis_queue import Offers
from gateway.store.vault.vault import Vault


class DialLimits(NamedTuple):
    """Of all blasts and dialers together: calls at once, and calls a second."""

    channels: int
    calls_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`link`: for a number (E.164 digits), empty where none carries it. `rates`: segments a second of each
    account, 0 where the contract knows no limit. `most_segments`: of one text. `queue_redis`: RQ's server.
    `clock`: Redis' own, which all limits go by, ms since 1970. `free_numbers`: that shoppers may call.
    `dialing`: None where no dialer is set up. `policies`: the law, read anew each time. `drill_s`: by which
    `clock` is ahead of the times that are noted of messages.
    """

    engine: Engine
    vault: Vault
    redis: Redis
    queue_redis: Redis
    looks: Looks
    catalog: Callable[[], Catalog]
    link: Callable[[str], str]
    links: tuple[str, ...]
    rates: Mapping[str, float]
    most_segments: int
    free_numbers: tuple[str, ...]
    dialing: DialLimits | None
    policies: Callable[[], Policies]
    clock: Callable[[], int]
    drill_s: int = 0

    def noted(self, now: int) -> int:
        """A moment of `clock` as it would be noted of a message, ms."""
        return now - self.drill_s * 1000

    @property
    def audiences(self) -> Audiences:
        """Those of all firms."""
        return Audiences(self.engine, self.vault)

    @property
    def offers(self) -> Offers:
        """Blasts in Redis."""
        return Offers(self.redis)

    def veil(self, firm_id: int) -> Veil:
        """How a firm is told of counts of people."""
        return Veil(self.vault.derive(f"counts/{firm_id}"))

    def set_draw(self, firm_id: int) -> Draw:
        """Places of people (gateway.domain.offers.sample), whose sum names a set of them."""
        return draw_of(self.vault.derive(f"counted-sets/{firm_id}"))

    def reference(self, firm_id: int, shopper: int) -> str:
        """The firm's own name for a shopper id."""
        return reference_of(shopper, self._reference_key(firm_id))

    def shopper(self, firm_id: int, reference: str) -> int | None:
        """The shopper id behind it; None where it is no reference of this firm."""
        return shopper_of(reference, self._reference_key(firm_id))

    def _reference_key(self, firm_id: int) -> str:
        return self.vault.derive(f"reference/{firm_id}").hex()
