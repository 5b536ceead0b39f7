"""Where activations by HTTP are decided, whoever asked: claimed, counted, and given to settlement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.codes.catalog import Catalog
from gateway.http.fields import Terms
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from gateway.store.vault.vault import Vault
from gateway.usecases.codes.activation import Answered, Claims, Owners, Wish, activate, claim_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What activations need at hand. `poke`: an outbox got work."""

    catalog: Callable[[], Catalog]
    claims: Claims
    owners: Owners
    vault: Vault
    poke: Callable[[], None]
    terms: Terms
    meter: Meter

    async def activate(self, wish: Wish) -> Answered:
        """Decide a wish. Raises what gateway.usecases.codes.activation.activate does."""
        answered = await activate(wish, self.catalog(), self.claims, self.owners, self.vault)
        self.poke()
        if answered.fresh:
            for code in answered.codes:
                self.meter.count(measures.CLAIMS, wish.channel, claim_word(code.outcome))
        return answered
