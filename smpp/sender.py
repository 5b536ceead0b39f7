"""Submits the answers of one link: intent on disk first, then the window kept full, then the outcome filed.

An outcome that stays unknown (the link or a process died between a submit and its response) leads to one more
submit, marked as possibly doubled; if that one stays unknown, too, the answer ends as `unknown`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.exceptions import RedisError

from config.logging import mask
from config.outage import Outage
from config.settings import LinkSettings
from gateway.domain.segments import split
from gateway.store.sendqueue import SendQueue, Sent, Waiting, open_answer
from gateway.store.vault import SealBroken, Vault
from smpp.link import Link
from smpp.pdus import SubmitResult, SubmitSm
from smpp.statuses import Verdict, verdict

MOST_BEGUN = 2  # a reply is submitted once more after an unknown outcome, not more often
MOST_TEMPORARY = 10  # refusals for now of one answer before it has failed
IDLE_WAIT_MS = 1000
STORAGE_RETRY_S = 0.5
log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """An answer on its way: the parts that wait for room, and those that wait for a response."""

    waiting: Waiting
    destination: str = field(repr=False)  # asyncio shows what a callback was given when one fails
    parts: deque[SubmitSm]
    last: SubmitSm  # the one whose receipt is asked for: its id is the answer's
    open: int
    touched: bool = False  # something of it was submitted
    refused: int = 0
    again: list[SubmitSm] = field(default_factory=list)
    smsc_id: str | None = None
    unknown: bool = False
    error: str | None = None
    begun_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class SenderCounts:
    """Plain counters for the metrics page."""

    accepted: int = 0
    failed: int = 0
    expired: int = 0
    unknown: int = 0
    possibly_doubled: int = 0
    throttled: int = 0


class Sender:
    """Sends for one link. `firms`: whose queues are read. `observe`: told each outcome."""

    def __init__(
        self,
        link: Link,
        queue: SendQueue,
        vault: Vault,
        *,
        firms: Callable[[], Sequence[int]],
        max_age_s: float,
        observe: Callable[[Sent, Outgoing | None], None],
    ) -> None:
        self._link = link
        self._settings: LinkSettings = link.settings
        self._queue = queue
        self._vault = vault
        self._firms = firms
        self._max_age_ms = max_age_s * 1000
        self._observe = observe
        self._ready: deque[Outgoing] = deque()
        self._in_flight: dict[str, Outgoing] = {}
        self._unknown: list[Waiting] = []
        self._delayed = 0
        self._ended: list[Sent] = []
        self._wake = asyncio.Event()
        self._ends = asyncio.Event()
        self._stopping = False
        self._references: dict[str, int] = {}
        self._queue_away = Outage("sending queue away", link=link.name)
        self._not_filed = Outage("outcomes not filed yet", link=link.name)
        self.counts = SenderCounts()

    # What the link tells.

    def on_results(self, results: Sequence[tuple[Any, SubmitResult | None]]) -> None:
        """Responses to submits, or None where none will come."""
        for (outgoing, part), result in results:
            self._result(outgoing, part, result)
        self.pump()

    def on_ready(self) -> None:
        """There may be room to submit."""
        self.pump()
        self._wake.set()

    # The work.

    async def run(self) -> None:
        """Until `stop`: take answers, submit them, file outcomes; then hand back what was not submitted."""
        await asyncio.gather(self._take_forever(), self._file_forever())
        untouched = [outgoing.waiting for outgoing in self._ready if not outgoing.touched]
        self._ready.clear()
        try:
            await self._queue.hand_back(untouched)
        except (RedisError, OSError, TimeoutError) as err:  # they will be taken for possibly doubled
            log.warning("answers not handed back", link=self._link.name, reason=type(err).__name__)

    def stop(self) -> None:
        """Take no more; what is in flight still gets its outcome filed."""
        self._stopping = True
        self._wake.set()
        self._ends.set()

    @property
    def backlog(self) -> int:
        """Answers taken and not ended."""
        return len(self._ready) + len(self._in_flight) + self._delayed

    async def _take_forever(self) -> None:
        while not self._stopping:
            if self._room <= 0:
                self._wake.clear()
                await _first(self._wake.wait(), IDLE_WAIT_MS / 1000)
                continue
            try:
                if not await self._take():
                    await self._queue.wait(self._firms(), IDLE_WAIT_MS)
            except (RedisError, OSError, TimeoutError) as err:
                self._queue_away.on(type(err).__name__)
                await asyncio.sleep(STORAGE_RETRY_S)
            else:
                self._queue_away.over()

    @property
    def _room(self) -> int:
        """Answers that may be taken: what can be submitted at once.

        An intent says that a submit was begun. One that only waited for room would count as a doubt after a
        kill, and two such kills would end an answer that never left.
        """
        return self._link.free - len(self._ready)

    async def _take(self) -> int:
        taken = 0
        if self._unknown:
            again, self._unknown = self._unknown, []
            try:
                again = await self._queue.begin_again(again)
            except (RedisError, OSError, TimeoutError):
                self._unknown = again + self._unknown
                raise
            taken += self._begin(again)
        for firm_id in self._firms():
            if self._room > 0:
                taken += self._begin(await self._queue.take(firm_id, self._room))
        return taken

    def _begin(self, taken: Sequence[Waiting]) -> int:
        for waiting in taken:
            self._accept(waiting)
        if taken:
            self.pump()
        return len(taken)

    def _accept(self, waiting: Waiting) -> None:
        unsent = waiting._replace(begun=waiting.begun - 1)
        if unsent.begun >= MOST_BEGUN:
            return self._end(unsent, "unknown", None, "no response twice", None)
        if self._is_stale(waiting):
            return self._end(unsent, "expired", None, "waited too long", None)
        try:
            number, text = open_answer(self._vault, waiting.sealed)
        except SealBroken:
            return self._end(unsent, "failed", None, "seal broken", None)
        if waiting.begun > 1:
            self.counts.possibly_doubled += 1
            log.warning("possibly doubled", id=waiting.message_id, link=self._link.name)
        parts = self._parts(waiting, number, text)
        outgoing = Outgoing(
            waiting=waiting, destination=number, parts=deque(parts), last=parts[-1], open=len(parts)
        )
        outgoing.begun_at = time.monotonic()
        self._ready.append(outgoing)
        return None

    def _is_stale(self, waiting: Waiting) -> bool:
        now_ms = time.time() * 1000
        return now_ms - waiting.at > self._max_age_ms or 0 < waiting.until < now_ms

    def _parts(self, waiting: Waiting, number: str, text: str) -> list[SubmitSm]:
        s = self._settings
        segments = split(text, default_alphabet=s.zero_means, ucs2=s.ucs2_coding, plain=s.replace_look_alikes)
        many = len(segments.parts) > 1
        reference = self._reference(number) if many else 0
        receipt = s.receipts and not waiting.until  # what is soon of no use has no row to note it in
        return [
            SubmitSm(
                source=waiting.short_number,
                source_ton=s.source_ton,
                source_npi=s.source_npi,
                destination=number,
                dest_ton=1,
                dest_npi=1,
                esm_class=0x40 if many else 0,
                data_coding=segments.data_coding,
                body=bytes((5, 0, 3, reference, len(segments.parts), at)) + body if many else body,
                registered_delivery=1 if receipt and at == len(segments.parts) else 0,
            )
            for at, body in enumerate(segments.parts, 1)
        ]

    def _reference(self, number: str) -> int:
        """Counts up for each destination, so that two long answers to one phone do not mix."""
        if len(self._references) > 50_000:
            self._references.clear()
        reference = (self._references.get(number, hash(number) & 0xFF) + 1) & 0xFF
        self._references[number] = reference
        return reference

    def pump(self) -> None:
        """Submit while there is room."""
        while self._ready and self._link.free > 0:
            outgoing = self._ready[0]
            while outgoing.parts and self._link.free > 0:
                part = outgoing.parts[0]
                if not self._link.submit(part, (outgoing, part)):
                    return
                outgoing.parts.popleft()
                outgoing.touched = True
                self._in_flight[outgoing.waiting.message_id] = outgoing
            if not outgoing.parts:
                self._ready.popleft()
        if self._link.free > 0:
            self._wake.set()

    def _result(self, outgoing: Outgoing, part: SubmitSm, result: SubmitResult | None) -> None:
        outgoing.open -= 1
        if result is None:
            outgoing.unknown = True
        else:
            kind = verdict(result.status)
            if kind is Verdict.ACCEPTED:
                if part is outgoing.last or outgoing.smsc_id is None:
                    outgoing.smsc_id = result.message_id
            elif kind is Verdict.PERMANENT:
                outgoing.error = f"0x{result.status:x}"
            else:
                self.counts.throttled += kind is Verdict.THROTTLED
                outgoing.again.append(part)
                outgoing.refused += kind is not Verdict.THROTTLED
        if outgoing.open == 0:
            self._in_flight.pop(outgoing.waiting.message_id, None)
            self._decide(outgoing)

    def _decide(self, outgoing: Outgoing) -> None:
        waiting = outgoing.waiting
        if outgoing.error:
            self._end(waiting, "failed", outgoing.smsc_id, outgoing.error, outgoing)
        elif outgoing.again and not outgoing.unknown and self._is_stale(waiting):
            self._end(waiting, "expired", outgoing.smsc_id, "refused until too old", outgoing)
        elif outgoing.again and outgoing.refused < MOST_TEMPORARY and not outgoing.unknown:
            self._again(outgoing)
        elif outgoing.again and not outgoing.unknown:
            self._end(waiting, "failed", outgoing.smsc_id, "refused for too long", outgoing)
        elif outgoing.unknown:
            self._unknown.append(waiting)
            self._wake.set()
        else:
            self._end(waiting, "accepted", outgoing.smsc_id, None, outgoing)

    def _again(self, outgoing: Outgoing) -> None:
        """Submit the refused parts once more: at once when the link holds itself, later when it does not."""
        outgoing.parts = deque(outgoing.again)
        outgoing.open, outgoing.again = len(outgoing.parts), []
        if not outgoing.refused:
            self._ready.appendleft(outgoing)
            return
        self._delayed += 1
        delay_s = self._settings.throttle_wait_s * outgoing.refused
        asyncio.get_running_loop().call_later(delay_s, self._retry, outgoing)

    def _retry(self, outgoing: Outgoing) -> None:
        self._delayed -= 1
        self._ready.append(outgoing)
        self.pump()

    def _end(
        self, waiting: Waiting, state: str, smsc_id: str | None, error: str | None, outgoing: Outgoing | None
    ) -> None:
        setattr(self.counts, state, getattr(self.counts, state) + 1)
        sent = Sent(waiting=waiting, state=state, smsc_id=smsc_id, error=error, at=int(time.time() * 1000))
        self._ended.append(sent)
        self._ends.set()
        self._observe(sent, outgoing)

    async def _file_forever(self) -> None:
        while not (self._stopping and not self._in_flight and not self._ended):
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
