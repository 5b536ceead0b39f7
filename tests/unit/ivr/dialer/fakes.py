"""What a call of the dialer needs, as fakes: a telephone, slots, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer_call import CallPlan, OnMachine, Spoken
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.offer_queue import Due
from gateway.store.calls.slots import Given, Grant, Limits, Wanted
from ivr.ami.call_result import CallEnd, CallResult
from ivr.ami.originate import Originate, over_trunk
from ivr.dialer.attempt import Ways
from ivr.dialer.call import CallTable, OfferCall
from ivr.offer.order import AnsweredBy, OfferOrder, OfferTold
from tests.unit.smpp.sending.gates import FakeGate

NOW = 1_000_000
HEARD_BUSY = CallEnd(result=CallResult.BUSY, cause=17)


def due(number: int = 1, *, blast: int = 7) -> Due:
    return Due(blast, 1, number, 0, 0, f"s{number}", b"sealed", "uk")


def offer_call(number: int = 1, *, begins_in: float = 0.0, deadline_s: float = 5.0) -> OfferCall:
    """Begun on disk; the gate was not asked yet."""
    plan = CallPlan(spoken={"uk": Spoken(intro=1, offer=2)})
    callee = Callee(
        shopper_id=number, number="380670000001", firm_id=1, blast_id=7, short_number="4040", language="uk"
    )
    order = OfferOrder(call_id=f"o{number}", callee=callee, intro="i", offer="o", on_machine=OnMachine.IGNORE)
    return OfferCall(
        wanted=Wanted(f"o{number}", f"s{number}", 7, Limits(10, 10.0), deadline_s),
        due=due(number),
        plan=plan,
        order=order,
        begins_at=time.monotonic() + begins_in,
    )


def told(outcome: object = None) -> OfferTold:
    return OfferTold(outcome=outcome, answered_at=NOW, answered_by=AnsweredBy.HUMAN, keys="1")  # type: ignore[arg-type]  # an Outcome or None


class FakePhone:
    """`end`: of each call, or what is raised. Keeps who was called, and when, and who was hung up."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.clogged = False
        self.end: CallEnd | Exception = HEARD_BUSY
        self.called: list[tuple[str, float]] = []
        self.hung_up: list[str] = []
        self.rings: Callable[[], None] = lambda: None

    async def originate(self, order: Originate, call_id: str) -> CallEnd:
        assert order.channel.startswith("PJSIP/")
        self.called.append((call_id, time.monotonic()))
        self.rings()
        if isinstance(self.end, Exception):
            raise self.end
        return self.end

    async def hang_up(self, call_id: str) -> bool:
        self.hung_up.append(call_id)
        return True


@dataclass
class FakeSlots:
    """`gives`: to each who asks. Keeps what was taken and given back."""

    gives: Given = Given.SLOT
    taken: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)

    async def take(self, wanted: Sequence[Wanted], slowed: float) -> list[Grant]:
        assert slowed == 1.0
        self.taken += [one.id for one in wanted]
        return [Grant(self.gives, time.monotonic())] * len(wanted)

    async def give_back(self, held: Sequence[Wanted]) -> None:
        self.back += [one.id for one in held]


class Stage:
    """Ways of fakes, and what was told of calls."""

    def __init__(self) -> None:
        self.phone, self.slots, self.gate, self.table = FakePhone(), FakeSlots(), FakeGate(), CallTable()
        self.ended: list[Ended] = []
        self.trunk: list[CallEnd] = []

    def ways(self) -> Ways:
        return Ways(
            phone=self.phone,
            slots=self.slots,
            gate=self.gate,
            table=self.table,
            originate=lambda call: Originate(channel=over_trunk(call.number, "trunk"), context="offer"),
            share=lambda: 1.0,
            now=lambda: NOW,
            ended=lambda _, ended: self.ended.append(ended),
            trunk=lambda _, end: self.trunk.append(end),
        )
