"""Submits the texts of one link: intent on disk first, then the window kept full, then the outcome filed.

An outcome that stays unknown (the link or a process died between a submit and its response) leads to one more
submit, marked as possibly doubled; if that one stays unknown, too, the text ends as `unknown`. Marketing is
never submitted twice: it ends as `unknown` at once.

Marketing leaves only on a fresh word of the gate: it waits in `Asking` until that has come, and goes back
there when the word has grown old before there was room. Replies pass it by.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from redis.exceptions import RedisError

from config.link_settings import LinkSettings
from config.logging import mask
from config.outage import Outage
from gateway.domain.policy.verdict import Allow, Defer
from gateway.domain.priority import Priority
from gateway.domain.segments import TooManyPartsError
from gateway.store.sendqueue import SendQueue, Sent, Waiting, open_answer
from gateway.store.vault import SealBroken, Vault
from gateway.usecases.gate import Verdict
from smpp.asking import Asking, AsksGate
from smpp.link import Link
from smpp.order import Order
from smpp.outgoing import Outgoing, References, prepare
from smpp.pdus import SubmitResult, SubmitSm
from smpp.slowing import Slowing

IDLE_WAIT_MS = 1000
STORAGE_RETRY_S = 0.5
MOST_BEHIND = 10_000  # texts that wait behind another to the same shopper; then nothing is taken
CREDIT_S = 1.0  # segments that were granted and not submitted by then go back to nobody
log = structlog.get_logger()


class Pace(Protocol):
    """Segments a second of the whole account, over all processes that share it."""

    async def grant(self, wanted: int) -> tuple[int, float]:
        """So many may be submitted now, and if none, the seconds until one may. Raises RedisError."""


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
        self._firms = firms
        self._max_age_ms = max_age_s * 1000
        self._observe = observe
        self._pace = pace
        self._holds = holds
        self._clock = clock
        self._asking = Asking(
            gate,
            link.name,
            may_ask=lambda: self._free > 0 and not link.clogged,
            decided=self._decided_by_gate,
        )
        self._credit: float = 0 if pace else float("inf")  # segments that the pace lets through
        self._credit_until = 0.0
        self._slowing = Slowing(link.window, self._settings.throttle_wait_s)
        self._flying = 0  # segments without their response
        self._ready: deque[Outgoing] = deque()
        self._order: Order[Outgoing] = Order()
        self._in_flight: dict[str, Outgoing] = {}
        self._unknown: list[Outgoing] = []
        self._behind: list[Waiting] = []  # wait behind another; intents to be taken back
        self._resumed: list[Outgoing] = []  # may leave now; intents to be noted again
        self._resting: set[Outgoing] = set()  # refused for now
        self._ended: list[Sent] = []
        self._wake = asyncio.Event()
        self._ends = asyncio.Event()
        self._stopping = False
        self._stopped = asyncio.Event()
        self._over = False  # its texts may be another's by now
        self._references = References()
        self._queue_away = Outage("sending queue away", link=link.name)
        self._not_filed = Outage("outcomes not filed yet", link=link.name)
        self.counts = SenderCounts()

    # What the link tells.

    def on_results(self, results: Sequence[tuple[Any, SubmitResult | None]]) -> None:
        """Responses to submits, or None where none will come."""
        now = time.monotonic()
        for token, result in results:
            outgoing: Outgoing = token[0]
            # What an earlier sender of this link submitted is not ours: its intent stood, it was taken anew.
            if self._in_flight.get(outgoing.waiting.message_id) is outgoing:
                self._result(outgoing, token[1], result, now)
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
            self._over = True
        rested = [outgoing for outgoing in self._order.clear() if outgoing.refusals]
        left = [*self._ready, *self._asking.left(), *self._resting, *rested]
        untouched = [outgoing.waiting for outgoing in left if not outgoing.touched] + self._behind
        self._ready.clear()
        self._resting.clear()
        try:
            await self._queue.hand_back(untouched)
        except (RedisError, OSError, TimeoutError) as err:  # they will be taken for possibly doubled
            log.warning("answers not handed back", link=self._link.name, reason=type(err).__name__)

    def stop(self) -> None:
        """Take no more; what is in flight still gets its outcome filed."""
        self._stopping = True
        self._asking.stop()
        self._stopped.set()
        self._wake.set()
        self._ends.set()

    @property
    def backlog(self) -> int:
        """Texts taken and not ended."""
        waiting = len(self._unknown) + len(self._resumed) + len(self._order) + len(self._resting)
        return len(self._ready) + len(self._asking) + len(self._in_flight) + waiting

    @property
    def in_flight(self) -> int:
        """Segments that wait for their response."""
        return self._flying

    @property
    def limit(self) -> int:
        """Segments that may be on their way at once now: the window, or less while the SMSC throttles."""
        return self._slowing.limit

    async def _take_forever(self) -> None:
        while not self._stopping:
            try:
                if self._pace is not None and self._wants_credit():
                    await self._draw(self._pace)
                elif self._room <= 0:
                    self._wake.clear()
                    await _first(self._wake.wait(), IDLE_WAIT_MS / 1000)
                elif not await self._take():
                    await self._queue.wait(self._firms(), IDLE_WAIT_MS)
            except (RedisError, OSError, TimeoutError) as err:
                self._queue_away.on(type(err).__name__)
                await asyncio.sleep(STORAGE_RETRY_S)
            else:
                self._queue_away.over()

    @property
    def _free(self) -> int:
        """Segments that may be submitted now."""
        if self._over or not self._holds():
            return 0
        return int(min(self._link.free, self._slowing.limit - self._flying, self._credit))

    @property
    def _room(self) -> int:
        """Texts that may be taken: what can be submitted at once.

        An intent says that a submit was begun. One that only waited for room would count as a doubt after a
        kill, and two such kills would end a text that never left.
        """
        return self._free - len(self._ready) - len(self._asking) if len(self._order) < MOST_BEHIND else 0

    def _wants_credit(self) -> bool:
        if time.monotonic() > self._credit_until:
            self._credit = 0
        return self._credit < 1 and min(self._link.free, self._slowing.limit - self._flying) > 0

    async def _draw(self, pace: Pace) -> None:
        granted, wait_s = await pace.grant(self._link.free)
        self._credit += granted
        self._credit_until = time.monotonic() + CREDIT_S
        if granted:
            self.pump()
        else:
            await _first(self._stopped.wait(), min(wait_s, IDLE_WAIT_MS / 1000))

    async def _take(self) -> int:
        taken = await self._go_on()
        for firm_id in self._firms():
            if self._room > 0:
                found = await self._queue.take(firm_id, self._room)
                for waiting in found:
                    self._begin(waiting, None)
                taken += len(found)
        if taken:
            self.pump()
        if self._behind:  # they are not submitted yet, so after a kill there is no doubt about them
            behind, self._behind = self._behind, []
            try:
                await self._queue.hand_back(behind)
            except (RedisError, OSError, TimeoutError):
                self._behind = behind + self._behind
                raise
        return taken

    async def _go_on(self) -> int:
        """Begin again what has an unknown outcome, and what waited for another text to the same shopper."""
        old, self._unknown, self._resumed = self._unknown + self._resumed, [], []
        if not old:
            return 0
        try:
            again = await self._queue.begin_again([outgoing.waiting for outgoing in old])
        except (RedisError, OSError, TimeoutError):
            self._unknown = old + self._unknown
            raise
        for outgoing, waiting in zip(old, again, strict=True):
            self._begin(waiting, outgoing)
        return len(old)

    def _begin(self, waiting: Waiting, before: Outgoing | None) -> None:
        """Ready a text whose intent is on disk; `before`: what stood in its place until now."""
        unsent = waiting._replace(begun=waiting.begun - 1)
        if unsent.begun >= waiting.priority.most_begun:
            told = "no response" if unsent.begun == 1 else "no response twice"
            return self._end(unsent, "unknown", None, told, before)
        if self._is_stale(waiting):
            return self._end(unsent, "expired", None, "waited too long", before)
        try:
            number, text = open_answer(self._vault, waiting.sealed)
        except SealBroken:
            return self._end(unsent, "failed", None, "seal broken", before)
        if waiting.begun > 1 and (before is None or before.unknown):
            self.counts.possibly_doubled += 1
            log.warning("possibly doubled", id=waiting.message_id, link=self._link.name)
        try:
            outgoing = prepare(
                waiting,
                number,
                text,
                self._settings,
                self._references,
                now=time.monotonic(),
                now_ms=int(time.time() * 1000),
            )
        except TooManyPartsError:
            return self._end(unsent, "failed", None, "too many segments", before)
        outgoing.has_turn = before is not None
        if outgoing.has_turn or waiting.gated or self._takes_turn(outgoing):
            self._stand_ready(outgoing)
        else:
            self._behind.append(waiting)
        return None

    def _takes_turn(self, outgoing: Outgoing) -> bool:
        outgoing.has_turn = outgoing.has_turn or self._order.enter(outgoing.destination, outgoing)
        return outgoing.has_turn

    def _stand_ready(self, outgoing: Outgoing) -> None:
        """It may leave when there is room; marketing must be allowed first, and takes its turn only then."""
        if outgoing.waiting.gated:
            self._asking.add(outgoing)
        else:
            self._ready.append(outgoing)

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
            else:
                self._end(outgoing.waiting, "denied", None, decision.reason, outgoing)
        self._wake.set()  # what does not leave makes room for the next one
        self.pump()

    def _allowed(self, outgoing: Outgoing) -> None:
        if self._takes_turn(outgoing):
            self._ready.append(outgoing)
        elif not outgoing.touched and not outgoing.refusals:
            self._behind.append(outgoing.waiting)

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
        while self._ready and self._free > 0:
            outgoing = self._ready[0]
            if not self._may_leave(outgoing):
                self._ask_again(self._ready.popleft())
                continue
            marketing = marketing or outgoing.waiting.gated
            while outgoing.parts and self._free > 0:
                part = outgoing.parts[0]
                if not self._link.submit(part, (outgoing, part)):
                    return
                outgoing.parts.popleft()
                outgoing.touched = True
                self._flying += 1
                self._credit -= 1
                self._in_flight[outgoing.waiting.message_id] = outgoing
            if not outgoing.parts:
                self._ready.popleft()
        if marketing:  # a process that is frozen now must not write it when it wakes up
            self._link.flush()
        self._asking.go_on()
        if self._link.free > 0:
            self._wake.set()

    def _result(self, outgoing: Outgoing, part: SubmitSm, result: SubmitResult | None, now: float) -> None:
        outgoing.open -= 1
        if result is None:
            outgoing.unknown = True
        elif result.status == 0:
            self._slowing.on_accepted()
            outgoing.took(part, result.message_id)
        else:
            self._refused(outgoing, part, result.status, now)
        self._flying -= 1
        if outgoing.open == 0:
            self._in_flight.pop(outgoing.waiting.message_id, None)
            self._decide(outgoing)

    def _refused(self, outgoing: Outgoing, part: SubmitSm, status: int, now: float) -> None:
        refusal = self._settings.refusal(status)
        if refusal.slows:
            self._slowing.on_throttled(self._flying, now)
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
            self._unknown.append(outgoing)
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
            self._ready.appendleft(outgoing)
            return
        self._resting.add(outgoing)
        if outgoing.priority is Priority.BULK:  # a reply need not wait behind marketing that rests
            self._give_up_turn(outgoing)
        asyncio.get_running_loop().call_later(delay_s, self._retry, outgoing)

    def _retry(self, outgoing: Outgoing) -> None:
        self._resting.discard(outgoing)
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
        if following.waiting in self._behind:  # perhaps handed back, if nobody answered
            self._behind.remove(following.waiting)
        following.waiting = following.waiting._replace(begun=following.waiting.begun - 1)
        self._resumed.append(following)
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
        self._ended.append(sent)
        self._ends.set()
        self._observe(sent, outgoing)
        if outgoing is not None:
            self._give_up_turn(outgoing)

    async def _file_forever(self) -> None:
        while not (self._stopping and not self._flying and not self._ended):
            if not self._ended:
                self._ends.clear()
                await _first(self._ends.wait(), IDLE_WAIT_MS / 1000)
                if not self._ended:
                    continue
            batch, self._ended = self._ended, []
            try:
                await self._queue.file(batch)
            except (RedisError, OSError, TimeoutError) as err:
                self._ended = batch + self._ended
                self._not_filed.on(type(err).__name__, len(batch))
                await asyncio.sleep(STORAGE_RETRY_S)
            else:
                self._not_filed.over()


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
