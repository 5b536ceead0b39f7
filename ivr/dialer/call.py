"""One offer call that is begun, and the table of all of them, in which the talk finds its order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer_call import CallPlan, Outcome
from gateway.domain.policy.basis import Basis
from gateway.domain.policy.verdict import Allow
from gateway.store.calls.offer_queue import Calling, Due
from gateway.store.calls.slots import Wanted
from gateway.usecases.consent.gate import Verdict
from ivr.offer.order import OfferOrder, OfferTold

LATE_S: Final = 0.03  # a call that would leave so much after its moment takes another one; see call_slots.lua


@dataclass(slots=True, kw_only=True, eq=False)
class OfferCall:
    """`plan`: of the blast, within the pack of this person. `begins_at`: its moment, by time.monotonic().

    `broken`: why it is hung up, or not made. To be made inside the event loop.
    """

    wanted: Wanted
    due: Due
    plan: CallPlan
    order: OfferOrder
    begins_at: float = 0.0
    verdict: Verdict | None = None
    broken: Outcome | None = None
    taken: bool = False  # answered, and the talk has its order
    told: asyncio.Future[OfferTold] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def id(self) -> str:
        """Asterisk's of it."""
        return self.wanted.id

    @property
    def number(self) -> str:
        """E.164 digits."""
        return self.order.callee.number

    @property
    def allowed(self) -> Basis | None:
        """What the gate allows it on; None where it does not, or was not asked."""
        if self.verdict is None or not isinstance(self.verdict.decision, Allow):
            return None
        return self.verdict.basis

    def may_leave(self, now: float) -> bool:
        """At its moment, on a fresh word of the gate."""
        fresh = self.verdict is not None and self.verdict.fresh(now)
        return fresh and self.allowed is not None and now - self.begins_at <= LATE_S


class CallTable:
    """The calls of this process, by id, from their beginning on disk to their end."""

    def __init__(self) -> None:
        self._calls: dict[str, OfferCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, call: OfferCall) -> None:
        """It is begun on disk."""
        self._calls[call.id] = call

    def remove(self, call: OfferCall) -> None:
        """It is over."""
        self._calls.pop(call.id, None)

    def of_blast(self, blast_id: int) -> int:
        """How many of a blast."""
        return sum(call.due.blast_id == blast_id for call in self._calls.values())

    def unanswered(self) -> list[OfferCall]:
        """Those that are to be made or ring."""
        return [call for call in self._calls.values() if not call.taken]

    def talking(self) -> bool:
        """Whether somebody has answered, and talks still."""
        return any(call.taken and not call.told.done() for call in self._calls.values())

    # What the talk asks and tells.

    def order(self, call_id: str) -> OfferOrder | None:
        """What is to be said; once. None for what we do not call, or have just hung up."""
        call = self._calls.get(call_id)
        if call is None or call.taken or call.broken:
            return None
        call.taken = True
        return call.order

    def tell(self, call_id: str, told: OfferTold) -> None:
        """The talk is over."""
        call = self._calls.get(call_id)
        if call is not None and not call.told.done():
            call.told.set_result(told)


def order_of(
    call_id: str, due: Due, blast: Calling, number: str, sounds: Mapping[str, tuple[str, str]]
) -> OfferOrder:
    """What the talk is given. `sounds`: intro and offer by language."""
    language = blast.plan.language(due.language, blast.fallback)
    intro, offer = sounds[language]
    callee = Callee(
        shopper_id=due.shopper_id,
        number=number,
        firm_id=due.firm_id,
        blast_id=due.blast_id,
        short_number=blast.short_number,
        language=language,
    )
    return OfferOrder(
        call_id=call_id,
        callee=callee,
        intro=intro,
        offer=offer,
        on_machine=blast.plan.on_machine,
        free_number=blast.plan.free_number,
    )
