"""Marketing that waits for the gate's word: asked in batches, again and again while the gate is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from config.outage import Outage
from gateway.domain.consent import Channel
from gateway.domain.policy.caps import contact_name
from gateway.domain.priority import Priority
from gateway.store.gate import GateAway
from gateway.usecases.gate import Question, Verdict
from smpp.outgoing import Outgoing

ASK_AGAIN_S = 0.5
AT_ONCE = 64
_LOOK_EVERY_S = 1.0


class AsksGate(Protocol):
    """gateway.usecases.gate."""

    async def ask(self, questions: Sequence[Question]) -> list[Verdict]:
        """A verdict for each. Raises GateAway: then nothing may leave."""


class Asking:
    """`may_ask`: there is room to submit, so that a verdict can be acted on.

    `decided`: told the verdicts of a batch.
    """

    def __init__(
        self,
        gate: AsksGate,
        link: str,
        *,
        may_ask: Callable[[], bool],
        decided: Callable[[Sequence[tuple[Outgoing, Verdict]]], None],
    ) -> None:
        self._gate = gate
        self._may_ask = may_ask
        self._decided = decided
        self._waiting: list[Outgoing] = []
        self._asked: list[Outgoing] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._away = Outage("gate away: no marketing leaves", link=link)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting) + len(self._asked)

    def add(self, outgoing: Outgoing) -> None:
        """A text that may not leave before the gate has spoken, or has spoken again."""
        self._waiting.append(outgoing)
        self._wake.set()

    def go_on(self) -> None:
        """There may be room now."""
        if self._waiting:
            self._wake.set()

    def left(self) -> list[Outgoing]:
        """What still waits, once `run` has ended; it is the caller's now."""
        left, self._waiting, self._asked = self._asked + self._waiting, [], []
        return left

    def stop(self) -> None:
        """Ask no more, but for texts of which a part has left."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`."""
        while (due := self._due()) or not self._stopping:
            if not due or not self._may_ask():
                self._wake.clear()
                await self._woken()
                continue
            try:
                await self._ask(due)
            except GateAway as err:
                self._away.on(str(err))
                await asyncio.sleep(ASK_AGAIN_S)
            else:
                self._away.over()

    def _due(self) -> list[Outgoing]:
        return [one for one in self._waiting if one.touched or not self._stopping][:AT_ONCE]

    async def _ask(self, due: list[Outgoing]) -> None:
        self._asked = due
        self._waiting = [one for one in self._waiting if one not in due]
        verdicts: list[Verdict] = []
        try:
            verdicts = await self._gate.ask([_question(outgoing) for outgoing in due])
        finally:
            self._asked = []
            if not verdicts or self._stopping:  # what has not begun by now is handed back
                self._waiting = [one for one in due if not (verdicts and one.touched)] + self._waiting
        pairs = zip(due, verdicts, strict=True)
        self._decided([pair for pair in pairs if pair[0].touched or not self._stopping])

    async def _woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
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
    )
