"""Rounds of the dialer: who is due gets a slot, is asked for at the gate, is begun on disk, and then called.

In this order, so that nobody is charged a contact for whom no channel is free, the gate's word is fresh when
the call leaves, and no call leaves that is not on disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from config.policies import Policies
from gateway.domain.consent.word import Channel
from gateway.domain.offers.offer_call import Outcome
from gateway.domain.policy.decide import terms_of
from gateway.domain.policy.verdict import Allow, Defer, Deny, Reason
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.offer_queue import Begun, Due, NotCalled
from gateway.store.calls.slots import Given, Limits, Wanted
from gateway.store.vault.vault import SealBroken
from ivr.ami.manager import new_call_id
from ivr.dialer.attempt import Ways, question, unmade
from ivr.dialer.blasts import Audible
from ivr.dialer.call import OfferCall, order_of
from ivr.dialer.candidates import Candidates

AT_ONCE: Final = 16  # calls of a round: one transaction
AWAIT_CHANNEL_S: Final = 0.2
ERASED: Final = "erased"
SEAL_BROKEN: Final = "seal broken"


class Queue(Protocol):
    """gateway.store.calls.offer_queue, of this dialer. Blocks; raises SQLAlchemyError."""

    def begin(self, begun: Sequence[Begun], not_called: Sequence[NotCalled]) -> set[str]:
        """Begin calls and file who is not called; the ids of those calls that are ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What holds for all calls of this dialer. `number`: opens that of a person, raises SealBroken.

    `channels`: at once. `deadline_s`: of a call that may ring for so many seconds.
    """

    policies: Policies
    number: Callable[[Due], str]
    channels: int
    deadline_s: Callable[[float], float]


class Rounds:
    """`start`: lets a call that is begun take its course. `unsure`: told of what is perhaps begun."""

    def __init__(
        self,
        line: Line,
        ways: Ways,
        candidates: Candidates,
        queue: Queue,
        start: Callable[[OfferCall], None],
        unsure: Callable[[Ended], None],
    ) -> None:
        self._line = line
        self._ways = ways
        self._candidates = candidates
        self._queue = queue
        self._start = start
        self._unsure = unsure

    async def once(self, blasts: Sequence[Audible]) -> float | None:
        """Begin what may be begun now; the seconds until it is worth another try, None: for lack of work.

        Raises GateAway, RedisError, SQLAlchemyError; then nothing was begun.
        """
        free = min(AT_ONCE, self._line.channels - len(self._ways.table))
        if free <= 0:
            return AWAIT_CHANNEL_S
        found = await asyncio.to_thread(self._candidates.next, blasts, self._room, free)
        if not found:
            return None
        return await self._with_slots(*self._prepared(found))

    def _room(self, audible: Audible) -> int:
        return audible.blast.plan.channels - self._ways.table.of_blast(audible.blast.id)

    def _prepared(self, found: Sequence[tuple[Audible, Due]]) -> tuple[list[OfferCall], list[NotCalled]]:
        calls, not_called = [], []
        for audible, due in found:
            if not due.number:
                not_called.append(NotCalled(due, Outcome.DENIED, ERASED))
                continue
            try:
                calls.append(self._call(audible, due, self._line.number(due)))
            except SealBroken:
                not_called.append(NotCalled(due, Outcome.FAILED, SEAL_BROKEN))
        return calls, not_called

    def _call(self, audible: Audible, due: Due, number: str) -> OfferCall:
        blast = audible.blast
        terms = terms_of(number, Channel.CALL, self._line.policies)
        plan = blast.plan.within(terms.rules) if terms else blast.plan
        wanted = Wanted(
            id=new_call_id(),
            shopper=due.shopper,
            blast_id=due.blast_id,
            limits=Limits(plan.channels, plan.calls_per_s),
            deadline_s=self._line.deadline_s(plan.ring_s),
        )
        order = order_of(wanted.id, due, blast, number, audible.sounds)
        return OfferCall(wanted=wanted, due=due, plan=plan, order=order)

    async def _with_slots(self, calls: Sequence[OfferCall], not_called: list[NotCalled]) -> float:
        held, wait_s = await self._slots(calls)
        left = {call.id: call for call in held}
        try:
            for call in await self._begun(held, not_called):
                del left[call.id]
                self._ways.table.add(call)
                self._start(call)
        finally:
            if left:
                await self._ways.slots.give_back([call.wanted for call in left.values()])
        return wait_s

    async def _slots(self, calls: Sequence[OfferCall]) -> tuple[list[OfferCall], float]:
        """Those that have one, and the seconds until it is worth asking for the others again."""
        if not calls:
            return [], 0.0
        grants = await self._ways.slots.take([call.wanted for call in calls], self._ways.share())
        held, late, waits = [], [], list[float]()
        for call, grant in zip(calls, grants, strict=True):
            if grant.given is Given.SLOT:
                call.begins_at = grant.at
                held.append(call)
            elif grant.given is Given.PERSON:
                self._candidates.rest(call.due)
            else:
                late.append(call.due)
                waits.append(grant.at - time.monotonic() if grant.given is Given.PACE else AWAIT_CHANNEL_S)
        self._candidates.put_back(late)
        return held, min(waits, default=0.0)

    async def _begun(self, held: Sequence[OfferCall], not_called: list[NotCalled]) -> list[OfferCall]:
        """Those that the gate allows, and that are on disk as ours now."""
        for call, verdict in zip(held, await self._ways.gate.ask([question(c) for c in held]), strict=True):
            call.verdict = verdict
        allowed = [call for call in held if call.allowed is not None]
        not_called += [other for call in held if (other := self._not_now(call)) is not None]
        if not allowed and not not_called:
            return []
        begun = [Begun(c.id, c.due, c.order.callee.language, c.allowed) for c in allowed if c.allowed]
        try:
            ours = await asyncio.to_thread(self._queue.begin, begun, not_called)
        except SQLAlchemyError:  # which may have happened after they were written
            for call in allowed:
                self._unsure(unmade(call, self._ways.now()))
            raise
        return [call for call in allowed if call.id in ours]

    def _not_now(self, call: OfferCall) -> NotCalled | None:
        """What is filed of somebody whom the gate does not allow to call now."""
        decision = call.verdict.decision if call.verdict else None
        if isinstance(decision, Defer) and decision.reason is not Reason.PAUSED:
            return NotCalled(call.due, None, decision.reason.value, decision.until)
        if isinstance(decision, Deny) and decision.reason is not Reason.NO_BLAST:
            outcome = Outcome.CANCELLED if decision.reason is Reason.CANCELLED else Outcome.DENIED
            return NotCalled(call.due, outcome, decision.reason.value)
        # Its firm is closed, or Redis has not heard of the blast yet, or heard more than SQL tells.
        if not isinstance(decision, Allow):
            self._candidates.leave(call.due.blast_id)
        return None
