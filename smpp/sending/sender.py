"""Submits the texts of one link: intent on disk first, then the window kept full, then the outcome filed.

What is more urgent leaves first whosever it is, and firms take turns (smpp.sending.queue_feed). An outcome
that stays unknown (the link or a process died between a submit and its response) leads to one more submit,
marked as possibly doubled; if that one stays unknown, too, the text ends as `unknown`. Marketing is never
submitted twice: it ends as `unknown` at once.

Marketing leaves only on a fresh word of the gate: it waits in `Asking` until that has come, and goes back
there when the word has grown old before there was room. Replies pass it by.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError

from config.link_settings import LinkSettings
from config.logging import mask
from config.outage import Outage
from gateway.domain.policy.verdict import Allow, Defer, Reason
from gateway.domain.sms.priority import IN_ORDER, Priority
from gateway.domain.sms.segments import TooManyPartsError
from gateway.store.consent.gate import GateAway
from gateway.store.texts.sendqueue import SendQueue, Sent, Waiting, open_answer
from gateway.store.vault.vault import SealBroken, Vault
from gateway.usecases.consent.gate import Verdict
from smpp.link.link import Link
from smpp.protocol.pdus import SubmitResult, SubmitSm
from smpp.sending.allowance import Allowance, Pace
from smpp.sending.filing import Filing
from smpp.sending.gate_queue import Asking, AsksGate
from smpp.sending.intents import Intents
from smpp.sending.outgoing import Outgoing, References, prepare
from smpp.sending.queue_feed import Queue, Taking
from smpp.sending.ready import Ready
from smpp.sending.turns import Order

SOON_S = 0.005
IDLE_WAIT_S = 1.0
STORAGE_RETRY_S = 0.5
log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class SenderCounts:
    """Plain counters for the metrics page."""

    accepted: int = 0
    failed: int = 0
    expired: int = 0
    unknown: int = 0
    denied: int = 0
    deferred: int = 0
    possibly_doubled: int = 0


class Sender:
    """Sends for one link. `firms`: whose queues are read. `observe`: told each outcome.

    `gate`: asked for marketing. `pace`: None where there is no limit of segments a second. `holds`: nobody
    else may submit now. `clock`: the gate's.
    """

    def __init__(
        self,
        link: Link,
        queue: SendQueue,
        vault: Vault,
        *,
        firms: Callable[[], Sequence[int]],
        max_age_s: float,
        observe: Callable[[Sent, Outgoing | None], None],
        gate: AsksGate,
        pace: Pace | None = None,
        holds: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._settings: LinkSettings = link.settings
        self._queue = queue
        self._vault = vault
        self._max_age_ms = max_age_s * 1000
        self._observe = observe
        self._clock = clock
        self._wake = asyncio.Event()
        self._held: set[Outgoing] = set()  # all that was taken and has not ended, wherever it waits
        self._held_of: Counter[Queue] = Counter()  # the same, by queue
        self._allowance = Allowance(link, pace, holds)
        self._gate = gate
        self._asking = Asking(
            gate,
            link.name,
            may_ask=lambda: self._allowance.free > 0 and not link.clogged,
            decided=self._decided_by_gate,
            closed=self._closed_at_gate,
        )
        self._taking = Taking(
            queue,
            firms,
            held=self._held_of.__getitem__,
            may=lambda firm: not self._asking.closed(firm),
            wake=self._wake.set,
            clock=time.monotonic,
        )
        self._ready = Ready()
        self._order: Order[Outgoing] = Order()
        self._in_flight: dict[str, Outgoing] = {}
        self._intents = Intents(queue, gate)
        self._filing = Filing(queue, link.name)
        self._stopping = False
        self._stopped = asyncio.Event()
        self._references = References()
        self._queue_away = Outage("sending queue away", link=link.name)
        self.counts = SenderCounts()

    # What the link tells.

    def on_results(self, results: Sequence[tuple[Any, SubmitResult | None]]) -> None:
        """Responses to submits, or None where none will come."""
        now = time.monotonic()
        for token, result in results:
            outgoing: Outgoing = token[0]
            # What an earlier sender of this link submitted is not ours: its intent stood, it was taken anew.
            if self._in_flight.get(outgoing.waiting.message_id) is outgoing:
                self._result(outgoing, token[1], token[2], result, now)
        self.pump()

    def on_ready(self) -> None:
        """There may be room to submit."""
        self.pump()
        self._wake.set()

    # The work.

    async def run(self) -> None:
        """Until `stop`: take texts, submit them, file outcomes; then hand back what was not submitted."""
        try:
            await asyncio.gather(self._take_forever(), self._asking.run(), self._file_forever())
        finally:
            self._allowance.over = True
            await self._taking.stop()
        try:
            await self._hand_back()
        except (RedisError, OSError, TimeoutError) as err:  # they will be taken for possibly doubled
            log.warning("answers not handed back", link=self._link.name, reason=type(err).__name__)

    async def _hand_back(self) -> None:
        """What was taken and not submitted. What the ledger has noted, too, is first taken back there."""
        untouched = [one for one in self._held if not one.touched]
        try:
            await self._gate.take_back([one.waiting.message_id for one in untouched if one.in_ledger])
        except GateAway as err:  # they will end as unknown
            log.warning("offers not handed back", link=self._link.name, reason=str(err))
            untouched = [one for one in untouched if not one.in_ledger]
        noted = (one.waiting for one in untouched if one.noted)
        await self._queue.hand_back(sorted(noted, key=lambda waiting: waiting.queue_id))

    def stop(self) -> None:
        """Take no more; what is in flight still gets its outcome filed."""
        self._stopping = True
        self._asking.stop()
        self._stopped.set()
        self._wake.set()
        self._filing.wake()

    @property
    def backlog(self) -> int:
        """Texts taken and not ended."""
        return len(self._held)

    @property
    def in_flight(self) -> int:
        """Segments that wait for their response."""
        return self._allowance.flying

    @property
    def pace(self) -> float:
        """Segments a second at most while the SMSC throttles; 0: as many as it takes."""
        return self._allowance.pace

    async def _take_forever(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                if self._allowance.wants_credit:
                    await self._draw()
                elif not await self._take():
                    self._taking.watch(self._rooms().__getitem__)
                    await self._rest()
            except (RedisError, OSError, TimeoutError) as err:
                self._queue_away.on(type(err).__name__)
                await asyncio.sleep(STORAGE_RETRY_S)
            else:
                self._queue_away.over()

    async def _rest(self) -> None:
        """Until something has changed, or the learned pace lets the next one through.

        Its moment may have come since room was looked for: then nobody else would tell.
        """
        paced_s = self._allowance.wait_s
        if not paced_s and self._ready.first is not None and self._allowance.free > 0:
            paced_s = SOON_S
        await _first(self._wake.wait(), min(paced_s or IDLE_WAIT_S, IDLE_WAIT_S))
        self.pump()

    def _rooms(self) -> dict[Priority, int]:
        """Texts that may be taken, by priority: what can be submitted at once, behind what leaves before it.

        An intent says that a submit was begun. One that only waited for room would count as a doubt after a
        kill, and two such kills would end a text that never left.
        """
        free = self._allowance.free
        rooms = {priority: free - self._ready.before(priority) for priority in IN_ORDER}
        if asking := len(self._asking):
            rooms[Priority.BULK] -= asking
            rooms[Priority.SERVICE] -= self._asking.urgent
        return rooms

    async def _draw(self) -> None:
        wait_s = await self._allowance.draw()
        if wait_s:
            await _first(self._stopped.wait(), min(wait_s, IDLE_WAIT_S))
        else:
            self.pump()

    async def _take(self) -> int:
        """Begin what may leave now: what has waited for its turn here, then what waits in the queues."""
        rooms = self._rooms()
        again = await self._intents.note() if rooms[Priority.REPLY] > 0 else []
        for outgoing, waiting in again:
            self._begin(waiting, outgoing)
        found = await self._taking.take((self._rooms() if again else rooms).__getitem__)
        for waiting in found:
            self._begin(waiting, None)
        if again or found:
            self.pump()
        await self._intents.take_back()
        return len(again) + len(found)

    def _begin(self, waiting: Waiting, before: Outgoing | None) -> None:
        """Ready a text whose intent is on disk; `before`: what stood in its place until now."""
        unsent = waiting._replace(begun=waiting.begun - 1)
        if unsent.begun >= waiting.priority.most_begun:
            told = "no response" if unsent.begun == 1 else "no response twice"
            return self._end(unsent, "unknown", None, told, before)
        if self._is_stale(waiting):
            return self._end(unsent, "expired", None, "waited too long", before)
        if waiting.begun > 1 and (before is None or before.unknown):
            self.counts.possibly_doubled += 1
            log.warning("possibly doubled", id=waiting.message_id, link=self._link.name)
        try:
            outgoing = self._prepared(waiting)
        except SealBroken:
            return self._end(unsent, "failed", None, "seal broken", before)
        except TooManyPartsError:
            return self._end(unsent, "failed", None, "too many segments", before)
        if before is None:
            self._held_of[waiting.firm_id, waiting.priority] += 1
            self._taking.used(waiting.firm_id, waiting.priority, len(outgoing.segments))
        else:
            outgoing.has_turn, outgoing.in_ledger = before.has_turn, before.in_ledger
            self._held.discard(before)
        self._held.add(outgoing)
        if outgoing.has_turn or waiting.gated or self._takes_turn(outgoing):
            self._stand_ready(outgoing)
        else:
            self._intents.stand_back(outgoing)
        return None

    def _prepared(self, waiting: Waiting) -> Outgoing:
        number, text = open_answer(self._vault, waiting.sealed)
        return prepare(
            waiting,
            number,
            text,
            self._settings,
            self._references,
            now=time.monotonic(),
            now_ms=int(time.time() * 1000),
        )

    def _takes_turn(self, outgoing: Outgoing) -> bool:
        outgoing.has_turn = outgoing.has_turn or self._order.enter(outgoing.destination, outgoing)
        return outgoing.has_turn

    def _stand_ready(self, outgoing: Outgoing) -> None:
        """It may leave when there is room; marketing must be allowed first, and takes its turn only then."""
        if outgoing.waiting.gated:
            self._asking.add(outgoing)
        else:
            self._ready.add(outgoing)

    def _decided_by_gate(self, verdicts: Sequence[tuple[Outgoing, Verdict]]) -> None:
        for outgoing, verdict in verdicts:
            outgoing.verdict = verdict
            decision = verdict.decision
            if isinstance(decision, Allow):
                self._allowed(outgoing)
            elif outgoing.touched:  # the phone will not show what it has of it
                outgoing.give_up_rest(decision.reason)
                if outgoing.open == 0:
                    self._in_flight.pop(outgoing.waiting.message_id, None)
                    self._decide(outgoing)
            elif isinstance(decision, Defer):
                self._end(outgoing.waiting, "deferred", None, decision.reason, outgoing, until=decision.until)
            elif decision.reason is Reason.MAY_HAVE_LEFT:
                self._end(outgoing.waiting, "unknown", None, "may have left", outgoing)
            else:
                self._end(outgoing.waiting, "denied", None, decision.reason, outgoing)
        self._wake.set()  # what does not leave makes room for the next one
        self.pump()

    def _allowed(self, outgoing: Outgoing) -> None:
        if outgoing.stands_back or not outgoing.noted:
            self._intents.again(outgoing)
        elif self._takes_turn(outgoing):
            self._ready.add(outgoing)
        elif not outgoing.touched and not outgoing.refusals:
            self._intents.stand_back(outgoing)

    def _closed_at_gate(self, waiting: Sequence[Outgoing]) -> None:
        """Of a firm of which nothing may leave for now: they hold no room, and no doubt."""
        for outgoing in waiting:
            if outgoing.noted and not outgoing.stands_back and not outgoing.touched:
                self._intents.stand_back(outgoing)
        self._wake.set()

    def _ask_again(self, outgoing: Outgoing) -> None:
        """The gate's word has grown old; a reply need not wait for the next one."""
        if not outgoing.touched:
            self._give_up_turn(outgoing)
        self._asking.add(outgoing)

    def _may_leave(self, outgoing: Outgoing) -> bool:
        """Replies always; marketing on a fresh word of the gate, and only if the network takes it at once."""
        if not outgoing.waiting.gated:
            return True
        fresh = outgoing.verdict is not None and outgoing.verdict.fresh(self._clock())
        return fresh and not self._link.clogged

    def _is_stale(self, waiting: Waiting) -> bool:
        now_ms = time.time() * 1000
        return now_ms - waiting.at > self._max_age_ms or 0 < waiting.until < now_ms

    def pump(self) -> None:
        """Submit while there is room."""
        marketing = False
        while (outgoing := self._ready.first) is not None and self._allowance.free > 0:
            if not self._may_leave(outgoing):
                self._ready.remove(outgoing)
                self._ask_again(outgoing)
                continue
            marketing = marketing or outgoing.waiting.gated
            if not self._submit(outgoing):
                break
            if not outgoing.parts:
                self._ready.remove(outgoing)
        if marketing:  # a process that is frozen now must not write it when it wakes up
            self._link.flush()
        self._asking.go_on()
        if self._link.free > 0:
            self._wake.set()

    def _submit(self, outgoing: Outgoing) -> bool:
        """As many of its parts as there is room for; False where the link takes none."""
        now = time.monotonic()
        while outgoing.parts and self._allowance.free > 0:
            part = outgoing.parts[0]
            if not self._link.submit(part, (outgoing, part, now)):
                return False
            outgoing.parts.popleft()
            outgoing.touched = True
            self._allowance.sent(now)
            self._in_flight[outgoing.waiting.message_id] = outgoing
        return True

    def _result(
        self, outgoing: Outgoing, part: SubmitSm, sent_at: float, result: SubmitResult | None, now: float
    ) -> None:
        outgoing.open -= 1
        self._allowance.flying -= 1
        if result is None:
            outgoing.unknown = True
        elif result.status == 0:
            self._allowance.accepted(now)
            outgoing.took(part, result.message_id)
        else:
            self._refused(outgoing, part, result.status)
            if self._settings.refusal(result.status).slows:
                self._allowance.refused(sent_at, now)
        if outgoing.open == 0:
            self._in_flight.pop(outgoing.waiting.message_id, None)
            self._decide(outgoing)

    def _refused(self, outgoing: Outgoing, part: SubmitSm, status: int) -> None:
        refusal = self._settings.refusal(status)
        times = outgoing.refusals[status] = outgoing.refusals.get(status, 0) + 1
        if refusal.retries == 0:
            outgoing.error = f"0x{status:x}"
        elif refusal.retries is not None and times > refusal.retries:
            outgoing.error = f"0x{status:x}, {times} times"
        else:
            outgoing.again.append(part)
            outgoing.delay_s = max(outgoing.delay_s, refusal.delay_s)

    def _decide(self, outgoing: Outgoing) -> None:
        waiting = outgoing.waiting
        if outgoing.denied:
            self._end(waiting, "denied", outgoing.smsc_id, outgoing.denied, outgoing)
        elif outgoing.error:
            self._end(waiting, "failed", outgoing.smsc_id, outgoing.error, outgoing)
        elif outgoing.unknown and waiting.begun >= waiting.priority.most_begun == 1:
            self._end(waiting, "unknown", outgoing.smsc_id, "no response", outgoing)
        elif outgoing.unknown:
            self._intents.again(outgoing)
            self._wake.set()
        elif outgoing.again and self._is_stale(waiting):
            self._end(waiting, "expired", outgoing.smsc_id, "refused until too old", outgoing)
        elif outgoing.again:
            self._again(outgoing)
        else:
            self._end(waiting, "accepted", outgoing.smsc_id, None, outgoing)

    def _again(self, outgoing: Outgoing) -> None:
        """Submit the refused parts once more: at once when the link holds itself, later when it does not."""
        outgoing.parts = deque(outgoing.again)
        outgoing.open, outgoing.again = len(outgoing.parts), []
        outgoing.touched = outgoing.taken > 0  # what was refused is in no doubt
        delay_s, outgoing.delay_s = outgoing.delay_s, 0.0
        if not delay_s:
            self._ready.put_back(outgoing)
            return
        if outgoing.priority is Priority.BULK:  # a reply need not wait behind marketing that rests
            self._give_up_turn(outgoing)
        asyncio.get_running_loop().call_later(delay_s, self._retry, outgoing)

    def _retry(self, outgoing: Outgoing) -> None:
        self._stand_ready(outgoing)
        self.pump()

    def _give_up_turn(self, outgoing: Outgoing) -> None:
        """It has ended, or rests: the next text to this phone is on its way."""
        if not outgoing.has_turn:
            return
        outgoing.has_turn = False
        following = self._order.leave(outgoing.destination)
        if following is None:
            return
        following.has_turn = True
        if following.refusals or following.touched:  # it was submitted: its intent stands still
            self._stand_ready(following)
            return
        self._intents.again(following)
        self._wake.set()

    def _end(
        self,
        waiting: Waiting,
        state: str,
        smsc_id: str | None,
        error: str | None,
        outgoing: Outgoing | None,
        *,
        until: int = 0,
    ) -> None:
        setattr(self.counts, state, getattr(self.counts, state) + 1)
        sent = Sent(
            waiting=waiting,
            state=state,
            smsc_id=smsc_id,
            error=error,
            at=int(time.time() * 1000),
            parts=() if outgoing is None else outgoing.filed_ids,
            until=until,
            basis=outgoing.basis if outgoing is not None else None,
        )
        self._filing.add(sent)
        self._observe(sent, outgoing)
        if outgoing is not None:
            self._held.discard(outgoing)
            self._held_of[waiting.firm_id, waiting.priority] -= 1
            self._give_up_turn(outgoing)

    async def _file_forever(self) -> None:
        while not (self._stopping and not self._allowance.flying and not len(self._filing)):
            await self._filing.once()


async def _first(waitable: Any, timeout_s: float) -> None:
    """Wait for it, at most so long."""
    try:
        async with asyncio.timeout(timeout_s):
            await waitable
    except TimeoutError:
        return


def describe(sent: Sent, outgoing: Outgoing | None) -> dict[str, Any]:
    """The canonical log line's fields of an ended answer."""
    return {
        "id": sent.waiting.message_id,
        "to": mask(outgoing.destination) if outgoing else "•••",
        "state": sent.state,
        "error": sent.error,
        "begun": sent.waiting.begun,
        "ms": int((time.monotonic() - outgoing.begun_at) * 1000) if outgoing else None,
    }
