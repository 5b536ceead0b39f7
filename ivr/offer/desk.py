"""What the talk asks of the gateway: gateway.usecases.calls.offer_keys."""

from __future__ import annotations

from typing import Protocol

from gateway.domain.offers.callee import Callee


class OfferDesk(Protocol):
    """Both raise Away, in a time that a callee waits for: it was noted, and is done later."""

    async def send_offer(self, callee: Callee) -> None:
        """The blast's text by SMS: once, however often it is asked for."""

    async def refuse(self, callee: Callee) -> None:
        """No more offers; in force when it returns."""
