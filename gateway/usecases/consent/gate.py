"""The gate: asked right before each marketing message or call leaves, by whoever sends it.

An answer is good for half a second from the moment of asking. Whoever did not act by then (the link was full,
the process stood still) asks again; whoever cannot ask does not send.

Redis says whether a text of a blast may leave now, the ledger that it has not left before: a Redis that was
put back, or a replica that knew less, may hold what has left already, and a blast that was cancelled since.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from config.policies import Policies
from gateway.domain.consent.word import Channel, Consent, Purpose, Said, read_word
from gateway.domain.policy.basis import Basis
from gateway.domain.policy.caps import contact_tag
from gateway.domain.policy.decide import Contact, decide, put_off, terms_of
from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny, Reason
from gateway.store.consent.gate import Asked, Charge, Free, Stands
from gateway.store.texts.departures import Leave

FRESH_S: Final = 0.5


class Question(NamedTuple):
    """One contact that is about to be made.

    `contact`: its id, the same when it is asked again: it is charged to the caps once. `shopper`: the vault's
    index of `number` (E.164 digits). `attempts`: of this blast to this person so far.
    `asked_for`: the person at this number wanted it now, such as the offer that a call told of: a no alone
    keeps it back. `text`: the id of a blast's text that the ledger has not noted yet as leaving.
    """

    contact: str
    firm_id: int
    shopper: str
    number: str
    blast: str
    channel: Channel
    attempts: int = 0
    asked_for: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`asked_at`: seconds of the clock that the gate was given. `basis`: what it was decided on."""

    decision: Decision
    asked_at: float
    basis: Basis

    def fresh(self, now: float) -> bool:
        """Whether it may still be acted on; `now` by the same clock."""
        return now - self.asked_at < FRESH_S


class Knows(Protocol):
    """gateway.store.consent.gate. Both raise GateAway."""

    async def look(self, asked: Sequence[Asked]) -> Sequence[Stands | None]:
        """What stands now; None where a firm is closed."""

    async def charge(self, charges: Sequence[Charge]) -> list[Free]:
        """Charge contacts to persons' caps."""


class Notes(Protocol):
    """gateway.store.texts.departures. Both raise GateAway."""

    async def begin(self, ids: Sequence[str]) -> Mapping[str, Leave]:
        """Note texts that are about to leave; what may become of each."""

    async def take_back(self, ids: Sequence[str]) -> None:
        """Of texts that certainly have not left."""


class Gate:
    """`ledger`: where texts are noted before they leave; None for who asks about none.

    `clock`: monotonic seconds; it goes on while the process stands still.
    """

    def __init__(
        self,
        store: Knows,
        policies: Policies,
        *,
        ledger: Notes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._policies = policies
        self._ledger = ledger
        self._clock = clock

    async def ask(self, questions: Sequence[Question]) -> list[Verdict | None]:
        """A verdict for each, in the same order; None: its firm is closed, and nothing of it may leave.

        Raises GateAway: then nothing may leave at all. What is allowed is charged to the person's caps; what
        then does not leave has counted all the same. Texts that are allowed stand noted in the ledger.
        """
        if not questions:
            return []
        asked_at = self._clock()
        found = await self._store.look([Asked(q.firm_id, q.shopper, q.blast) for q in questions])
        known = [(q, stands) for q, stands in zip(questions, found, strict=True) if stands is not None]
        verdicts = iter(await self._noted(known, await self._verdicts(known, asked_at)))
        return [None if stands is None else next(verdicts) for stands in found]

    async def take_back(self, texts: Sequence[str]) -> None:
        """Texts, by id, that were allowed and certainly have not left. Raises GateAway."""
        if self._ledger is not None and texts:
            await self._ledger.take_back(texts)

    async def _verdicts(self, known: Sequence[tuple[Question, Stands]], asked_at: float) -> list[Verdict]:
        questions, stood = [q for q, _ in known], [stands for _, stands in known]
        said = [_said(s.word, q.channel) for q, s in zip(questions, stood, strict=True)]
        decisions = [self._decide(*of) for of in zip(questions, stood, said, strict=True)]
        decisions = await self._charged(questions, decisions)
        return [
            Verdict(decision=decision, asked_at=asked_at, basis=self._basis(question, stands, word))
            for question, stands, word, decision in zip(questions, stood, said, decisions, strict=True)
        ]

    async def _noted(
        self, known: Sequence[tuple[Question, Stands]], verdicts: list[Verdict]
    ) -> list[Verdict]:
        """The same, but for texts that the ledger keeps back. Of what else keeps back none is noted."""
        leaving = [
            question.text
            for (question, _), verdict in zip(known, verdicts, strict=True)
            if question.text and isinstance(verdict.decision, Allow)
        ]
        if self._ledger is None or not leaving:
            return verdicts
        told = await self._ledger.begin(leaving)
        return [
            replace(verdict, decision=_by_ledger(told[question.text], stands.now))
            if question.text in told
            else verdict
            for (question, stands), verdict in zip(known, verdicts, strict=True)
        ]

    def _decide(self, question: Question, stands: Stands, said: Said) -> Decision:
        if question.asked_for:
            return Deny(Reason.WITHDRAWN) if said.consent is Consent.WITHDRAWN else Allow()
        if stands.blast != "running":
            return _of_blast(stands)
        contact = Contact(number=question.number, consent=said.consent, attempts=question.attempts)
        return decide(contact, question.channel, Purpose.MARKETING, stands.now, self._policies)

    async def _charged(self, questions: Sequence[Question], decisions: list[Decision]) -> list[Decision]:
        """The same decisions, but for those that the caps put off."""
        allowed = [
            place
            for place, decision in enumerate(decisions)
            if isinstance(decision, Allow) and not questions[place].asked_for
        ]
        found = await self._store.charge([self._charge(questions[place]) for place in allowed])
        for place, free in zip(allowed, found, strict=True):
            terms = terms_of(questions[place].number, questions[place].channel, self._policies)
            if free.at and terms is not None:
                cap = Reason.CAP_WEEK if free.by_week else Reason.CAP_DAY
                decisions[place] = put_off(terms, free.at, cap)
        return decisions

    def _charge(self, question: Question) -> Charge:
        terms = terms_of(question.number, question.channel, self._policies)
        if terms is None:
            raise ValueError("what no pack covers is not allowed")
        tag = contact_tag(question.contact)
        return Charge(question.shopper, question.channel, terms.rules.per_day, terms.rules.per_week, tag)

    def _basis(self, question: Question, stands: Stands, said: Said) -> Basis:
        terms = terms_of(question.number, question.channel, self._policies)
        return Basis(
            shopper=question.shopper,
            blast=question.blast,
            channel=question.channel,
            consent=said.consent,
            said_at=said.at,
            pack=terms.pack.name if terms else "",
            decided_at=stands.now,
        )


def _by_ledger(leave: Leave, now: int) -> Decision:
    if leave is Leave.PAUSED:
        return Defer(now, Reason.PAUSED)
    return _BY_LEDGER[leave]


_BY_LEDGER: Final[Mapping[Leave, Decision]] = {
    Leave.NOW: Allow(),
    Leave.CANCELLED: Deny(Reason.CANCELLED),
    Leave.OVER: Deny(Reason.NO_BLAST),
    Leave.NEVER: Deny(Reason.MAY_HAVE_LEFT),
}


def _of_blast(stands: Stands) -> Decision:
    """Of a blast that does not run. Who pauses it also knows when it goes on: asked again at once."""
    if stands.blast == "paused":
        return Defer(stands.now, Reason.PAUSED)
    return Deny(Reason.CANCELLED if stands.blast == "cancelled" else Reason.NO_BLAST)


def _said(word: str, channel: Channel) -> Said:
    return read_word(word)[channel]
