"""Marketing that waits for the gate's word: asked in batches, again and again while the gate is away.

A firm may be closed while others are not: what is its own waits by itself, and holds up nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from config.outage import Outage
from gateway.domain.consent.word import Channel
from gateway.domain.policy.caps import contact_name
from gateway.domain.policy.verdict import Allow
from gateway.domain.sms.priority import Priority
from gateway.store.consent.gate import GateAway
from gateway.usecases.consent.gate import Question, Verdict
from smpp.sending.outgoing import Outgoing

ASK_AGAIN_S = 0.5
AT_ONCE = 64
_LOOK_EVERY_S = 1.0


class AsksGate(Protocol):
    """gateway.usecases.consent.gate."""

    async def ask(self, questions: Sequence[Question]) -> Sequence[Verdict | None]:
        """A verdict for each; None: its firm is closed. Raises GateAway: then nothing may leave."""

    async def take_back(self, texts: Sequence[str]) -> None:
        """Texts, by id, that were allowed and certainly have not left. Raises GateAway."""


class Asking:
    """`may_ask`: there is room to submit, so that a verdict can be acted on.

    `decided`: told the verdicts of a batch. `closed`: told what waits for a firm that is closed.
    """

    def __init__(
        self,
        gate: AsksGate,
        link: str,
        *,
        may_ask: Callable[[], bool],
        decided: Callable[[Sequence[tuple[Outgoing, Verdict]]], None],
        closed: Callable[[Sequence[Outgoing]], None],
    ) -> None:
        self._gate = gate
        self._may_ask = may_ask
        self._decided = decided
        self._told_closed = closed
        self._closed: dict[int, float] = {}  # firm -> when it is asked for again, monotonic seconds
        self._waiting: list[Outgoing] = []
        self._asked: list[Outgoing] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._away = Outage("gate away: no marketing leaves", link=link)
        self._firm_away = Outage("gate closed for a firm: none of its marketing leaves", link=link)

    def __len__(self) -> int:
        """How many wait, but for those of firms that are closed."""
        if not self._closed:
            return len(self._waiting) + len(self._asked)
        return sum(not self.closed(one.waiting.firm_id) for one in [*self._waiting, *self._asked])

    @property
    def urgent(self) -> int:
        """How many of them are no bulk: asked for by the person, and marketing by their words."""
        every = [*self._waiting, *self._asked]
        return sum(
            one.priority is not Priority.BULK and not self.closed(one.waiting.firm_id) for one in every
        )

    def closed(self, firm: int) -> bool:
        """Whether nothing of a firm may leave, as far as is known."""
        return firm in self._closed

    def add(self, outgoing: Outgoing) -> None:
        """A text that may not leave before the gate has spoken, or has spoken again."""
        self._waiting.append(outgoing)
        self._wake.set()

    def go_on(self) -> None:
        """There may be room now."""
        if self._waiting:
            self._wake.set()

    def stop(self) -> None:
        """Ask no more, but for texts of which a part has left."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`."""
        while (due := self._due()) or not self._stopping:
            if not due or not self._may_ask():
                self._wake.clear()
                await self._woken(ASK_AGAIN_S if self._closed else _LOOK_EVERY_S)
                continue
            try:
                await self._ask(due)
            except GateAway as err:
                self._away.on(str(err))
                await asyncio.sleep(ASK_AGAIN_S)
            else:
                self._away.over()

    def _due(self) -> list[Outgoing]:
        """What a person asked for, by itself and first: blasts may wait for a ledger that is away."""
        now = time.monotonic()
        resting = {firm for firm, until in self._closed.items() if until > now}
        due = [
            one
            for one in self._waiting
            if (one.touched or not self._stopping) and one.waiting.firm_id not in resting
        ]
        asked_for = [one for one in due if one.priority is not Priority.BULK]
        return (asked_for or due)[:AT_ONCE]

    async def _ask(self, due: list[Outgoing]) -> None:
        self._asked = due
        asked = set(due)
        self._waiting = [one for one in self._waiting if one not in asked]
        verdicts: Sequence[Verdict | None] = []
        try:
            verdicts = await self._gate.ask([_question(outgoing) for outgoing in due])
        finally:
            self._asked = []
            pairs = list(zip(due, verdicts or [None] * len(due), strict=True))
            # What has no word, and what has not begun when all is stopped, waits on or is handed back.
            back = [one for one, verdict in pairs if verdict is None or (self._stopping and not one.touched)]
            self._waiting = back + self._waiting
        for outgoing, verdict in pairs:
            if verdict is not None and isinstance(verdict.decision, Allow):
                outgoing.in_ledger = outgoing.priority is Priority.BULK
        self._note_closed(pairs)
        told = [(one, word) for one, word in pairs if word is not None]
        self._decided([pair for pair in told if pair[0].touched or not self._stopping])

    def _note_closed(self, pairs: Sequence[tuple[Outgoing, Verdict | None]]) -> None:
        closed = {one.waiting.firm_id for one, verdict in pairs if verdict is None}
        for firm in {one.waiting.firm_id for one, _ in pairs} - closed:
            self._closed.pop(firm, None)
        if closed:
            self._firm_away.on("closed", sum(verdict is None for _, verdict in pairs))
            self._closed |= dict.fromkeys(closed, time.monotonic() + ASK_AGAIN_S)
            self._told_closed([one for one in self._waiting if one.waiting.firm_id in closed])
        elif not self._closed:
            self._firm_away.over()

    async def _woken(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wake.wait()


def _question(outgoing: Outgoing) -> Question:
    waiting = outgoing.waiting
    return Question(
        contact=contact_name(waiting.blast, waiting.shopper),
        firm_id=waiting.firm_id,
        shopper=waiting.shopper,
        number=outgoing.destination,
        blast=waiting.blast,
        channel=Channel.SMS,
        asked_for=waiting.priority is not Priority.BULK,
        text="" if outgoing.in_ledger or waiting.priority is not Priority.BULK else waiting.message_id,
    )
