"""Gates for tests of the sender: one that is open, one that says what it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gateway.domain.consent.word import Channel, Consent
from gateway.domain.policy.basis import Basis
from gateway.domain.policy.verdict import Allow, Decision, Deny, Reason
from gateway.store.consent.gate import GateAway
from gateway.usecases.consent.gate import Question, Verdict

Says = Callable[[Question], Decision | None]


class FakeGate:
    """Answers as `says` does; None: it is away. Keeps what it was asked. `clock`: of its verdicts.

    Of a text that it has noted as leaving, and that nobody took back, it says what the ledger does: never.
    """

    def __init__(self, says: Says | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.says: Says = says or (lambda _question: Allow())
        self.asked: list[Question] = []
        self.taken_back: list[str] = []
        self._noted: set[str] = set()
        self._clock = clock

    async def ask(self, questions: Sequence[Question]) -> list[Verdict]:
        self.asked += questions
        asked_at = self._clock()
        return [self._verdict(question, asked_at) for question in questions]

    async def take_back(self, texts: Sequence[str]) -> None:
        self.taken_back += texts
        self._noted.difference_update(texts)

    def _verdict(self, question: Question, asked_at: float) -> Verdict:
        decision = self.says(question)
        if decision is None:
            raise GateAway("as told")
        if question.text and isinstance(decision, Allow):
            if question.text in self._noted:
                decision = Deny(Reason.MAY_HAVE_LEFT)
            self._noted.add(question.text)
        return Verdict(decision=decision, asked_at=asked_at, basis=basis_of(question))


def basis_of(question: Question) -> Basis:
    """What the fake says it stood on."""
    return Basis(question.shopper, question.blast, Channel.SMS, Consent.GIVEN, 1_000, "ua", 2_000)
