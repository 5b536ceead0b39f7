"""A desk of offer calls as the talk sees it, and orders for its calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer_call import OnMachine
from gateway.usecases.calls.free_number import Away
from ivr.offer.order import OfferOrder

CALLEE = Callee(
    shopper_id=7, number="380670000007", firm_id=1, blast_id=3, short_number="4040", language="uk"
)


def order(call_id: str = "o1", on_machine: OnMachine = OnMachine.IGNORE) -> OfferOrder:
    """Of recordings named intro and offer."""
    return OfferOrder(
        call_id=call_id,
        callee=CALLEE,
        intro="offers/intro",
        offer="offers/offer",
        on_machine=on_machine,
        free_number="0800",
    )


@dataclass
class FakeOfferDesk:
    """`away`, `breaks`, `waits`: as of callers_desk.FakeDesk. `done`: what was asked, by whom."""

    away: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    waits: dict[str, asyncio.Event] = field(default_factory=dict)
    done: list[tuple[str, Callee]] = field(default_factory=list)

    async def send_offer(self, callee: Callee) -> None:
        await self._ask("send_offer", callee)

    async def refuse(self, callee: Callee) -> None:
        await self._ask("refuse", callee)

    async def _ask(self, service: str, callee: Callee) -> None:
        if service in self.waits:
            await self.waits[service].wait()
        if service in self.breaks:
            raise LookupError(service)
        if service in self.away:
            raise Away(service)
        self.done.append((service, callee))
