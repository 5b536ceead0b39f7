"""The course of one offer call: its moment comes, Asterisk is asked for it, it ends, and that is filed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError

from gateway.domain.consent.word import Channel
from gateway.domain.offers.offer_call import Next, Outcome, after
from gateway.domain.policy.caps import contact_name
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.slots import Given, Grant, Wanted
from gateway.store.consent.gate import GateAway
from gateway.usecases.consent.gate import Question, Verdict
from ivr.ami.call_result import CallEnd, CallResult
from ivr.ami.faults import Lost, Refused, Unsendable
from ivr.ami.originate import Originate
from ivr.dialer.call import CallTable, OfferCall
from ivr.dialer.outcome import judge

TOLD_WITHIN_S: Final = 10.0  # of a call's end, by its talk: what was asked for is done to its end
CLOGGED_S: Final = 0.1
LOST: Final = CallEnd(result=CallResult.UNKNOWN, cause=None)
log = structlog.get_logger()


class Phone(Protocol):
    """ivr.ami.manager."""

    @property
    def up(self) -> asyncio.Event:
        """Set while Asterisk can be asked."""

    @property
    def clogged(self) -> bool:
        """What was asked before has not left."""

    async def originate(self, order: Originate, call_id: str) -> CallEnd:
        """Make a call, until its end. Raises Unsendable, Refused, Lost."""

    async def hang_up(self, call_id: str) -> bool:
        """End a call. Raises Lost."""


class Slots(Protocol):
    """gateway.store.calls.slots. Both raise RedisError."""

    async def take(self, wanted: Sequence[Wanted], slowed: float) -> list[Grant]:
        """A slot for each, or none."""

    async def give_back(self, held: Sequence[Wanted]) -> None:
        """End slots."""


class AsksGate(Protocol):
    """gateway.usecases.consent.gate."""

    async def ask(self, questions: Sequence[Question]) -> Sequence[Verdict | None]:
        """A verdict for each; None: its firm is closed. Raises GateAway: then nothing may leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What a call needs. `originate`: the order of it for Asterisk; `share`: of the rates, now; `now`: ms.

    `ended`: told at the end, with what came of it. `trunk`: told what Asterisk says of a call that was made.
    """

    phone: Phone
    slots: Slots
    gate: AsksGate
    table: CallTable
    originate: Callable[[OfferCall], Originate]
    share: Callable[[], float]
    now: Callable[[], int]
    ended: Callable[[OfferCall, Ended], None]
    trunk: Callable[[OfferCall, CallEnd], None]


async def run(call: OfferCall, ways: Ways) -> None:
    """A call that is begun on disk and has its slot, to its end. Cancelled, it stays without one.

    But for one whose talk is over: what came of it is known, whatever Asterisk would say still.
    """
    try:
        end = await _made(call, ways) if await _at_its_moment(call, ways) else None
    except asyncio.CancelledError:
        if call.told.done():
            ways.table.remove(call)
            ways.ended(call, _ended(call, LOST, ways.now()))
        raise
    ended = _ended(call, end, ways.now()) if end is not None else unmade(call, ways.now())
    if end is not None and not call.broken:
        ways.trunk(call, end)
    ways.table.remove(call)
    ways.ended(call, ended)
    if end is None or not _may_live(end):  # else its slot runs out by itself
        await _give_back(call, ways)


async def _at_its_moment(call: OfferCall, ways: Ways) -> bool:
    """Wait for it. False where it may not be made any more."""
    while True:
        await asyncio.sleep(call.begins_at - time.monotonic())
        if ways.phone.clogged:
            await asyncio.sleep(CLOGGED_S)
        if call.broken or not ways.phone.up.is_set():
            return False
        if call.may_leave(time.monotonic()) and not ways.phone.clogged:
            return True
        if not await _allowed_again(call, ways):
            return False


async def _allowed_again(call: OfferCall, ways: Ways) -> bool:
    """Its moment has passed, or the gate's word grew old. What is not allowed now is for a later round."""
    try:
        (grant,) = await ways.slots.take([call.wanted], ways.share())
        if grant.given is not Given.SLOT:
            return False
        call.begins_at = grant.at
        (call.verdict,) = await ways.gate.ask([question(call)])
    except (GateAway, RedisError, OSError, TimeoutError):
        return False
    return call.allowed is not None


async def _made(call: OfferCall, ways: Ways) -> CallEnd:
    """Its end, as far as Asterisk tells it; by its deadline at the latest."""
    deadline = time.monotonic() + call.wanted.deadline_s
    try:
        end = await ways.phone.originate(ways.originate(call), call.id)
    except Lost:
        end = LOST
    except Refused as err:
        log.error("Asterisk refuses to call", told=str(err), mend="run `undercap doctor`")
        return CallEnd(result=CallResult.CONGESTION, cause=None)
    except Unsendable:
        return CallEnd(result=CallResult.BAD_NUMBER, cause=None)
    if _may_live(end) and not call.broken:  # the talk may tell of it still
        await asyncio.wait({call.told}, timeout=deadline - time.monotonic())
    elif call.taken:
        await asyncio.wait({call.told}, timeout=TOLD_WITHIN_S)
    return end


def _may_live(end: CallEnd) -> bool:
    """Whether Asterisk may have the call still: of one whose Hangup was heard it has none."""
    return end.result is CallResult.UNKNOWN and end.cause is None


def unmade(call: OfferCall, now: int) -> Ended:
    """Everything is as it was before. `now`: ms."""
    return Ended(call.id, call.due.blast_id, call.due.shopper_id, None, Next(due_at=None), now)


def _ended(call: OfferCall, end: CallEnd, now: int) -> Ended:
    told = call.told.result() if call.told.done() else None
    outcome = judge(end, told, call.broken, uncounted=call.due.calls - call.due.attempts)
    return Ended(
        id=call.id,
        blast_id=call.due.blast_id,
        shopper_id=call.due.shopper_id,
        outcome=outcome,
        then=_then(outcome, call, now),
        ended_at=now,
        answered_at=told.answered_at if told else None,
        cause=end.cause,
        answered_by=told.answered_by.value if told else None,
        keys=told.keys if told else None,
        sip=end.sip,
    )


def _then(outcome: Outcome, call: OfferCall, now: int) -> Next:
    uncounted = call.due.calls - call.due.attempts
    return after(outcome, call.due.attempts + 1, call.plan, now, uncounted=uncounted)


async def _give_back(call: OfferCall, ways: Ways) -> None:
    try:
        await ways.slots.give_back([call.wanted])
    except (RedisError, OSError, TimeoutError):  # it is owed; should we end before, it runs out by itself
        log.debug("slot not given back", call=call.id)


def question(call: OfferCall) -> Question:
    """What the gate is asked before a call: all calls of a blast to a person are one contact."""
    return Question(
        contact=contact_name(str(call.due.blast_id), call.due.shopper),
        firm_id=call.due.firm_id,
        shopper=call.due.shopper,
        number=call.number,
        blast=str(call.due.blast_id),
        channel=Channel.CALL,
        attempts=call.due.attempts,
    )
