"""Marketing leaves on a fresh word of the gate, or not at all; replies never ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny, Reason
from gateway.domain.sms.priority import Priority
from gateway.store.texts.sendqueue import Waiting
from gateway.usecases.consent.gate import FRESH_S, Question
from smpp.protocol import statuses
from smpp.protocol.pdus import SubmitResult, SubmitSm
from tests.unit.smpp.sending.gates import FakeGate, Says, basis_of
from tests.unit.smpp.sending.test_sender import (
    LONG,
    WAIT_S,
    FakeLink,
    FakeQueue,
    always,
    answer_of,
    made,
    turns,
)

SHOPPER = "s" * 22
BULK: dict[str, Any] = {"priority": Priority.BULK, "shopper": SHOPPER, "blast": "7"}


class CountingQueue(FakeQueue):
    """Takes intents back, as Redis does."""

    async def begin_again(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        back = [w.message_id for w in self.handed_back]
        return [w._replace(begun=w.begun + 1 - back.count(w.message_id)) for w in waiting]


class Stage:
    """A sender with a gate and a clock that do as they are told; the SMSC answers when it is told to."""

    def __init__(self, *waiting: Waiting, says: Says | None = None, room: int = 10) -> None:
        self.now = 100.0
        self.link, self.queue = FakeLink(always(0), room=room), CountingQueue(waiting)
        self.open: list[tuple[Any, SubmitSm]] = []
        self.link._respond = self._keep  # type: ignore[method-assign]
        self.gate = FakeGate(says, clock=lambda: self.now)
        self.sender = made(self.link, self.queue, gate=self.gate, clock=lambda: self.now)
        self.running = asyncio.create_task(self.sender.run())

    def _keep(self, nth: int, pdu: SubmitSm, token: Any) -> None:
        del nth
        self.open.append((token, pdu))

    @property
    def texts(self) -> list[str]:
        """What was submitted, in order."""
        return [pdu.body.decode("ascii", "replace") for pdu in self.link.submitted]

    async def until(self, true: Any) -> None:
        """Let the loop turn until it is true."""
        async with asyncio.timeout(WAIT_S):
            await turns(true)

    async def settle(self) -> None:
        """Whatever would happen by itself happens now."""
        for _ in range(50):
            await asyncio.sleep(0)

    def answer(self, status: int = 0) -> None:
        """The SMSC answers the oldest submit."""
        token, _ = self.open.pop(0)
        self.link.free += 1
        self.sender.on_results([(token, SubmitResult(status, "id"))])

    async def ended(self) -> list[tuple[str, str | None]]:
        """Answer all, stop; state and error of all that ended."""
        self.sender.stop()
        async with asyncio.timeout(WAIT_S):
            while not self.running.done():
                if self.open:
                    self.answer()
                await asyncio.sleep(0)
        return [(sent.state, sent.error) for sent in self.queue.filed]


def says(decision: Decision | None) -> Says:
    return lambda _question: decision


async def test_what_is_allowed_leaves_and_its_basis_is_filed() -> None:
    stage = Stage(answer_of("offer", **BULK))
    await stage.until(lambda: stage.open)

    assert await stage.ended() == [("accepted", None)]
    (question,) = stage.gate.asked
    assert (question.contact, question.shopper, question.blast) == (f"7/{SHOPPER}", SHOPPER, "7")
    assert stage.queue.filed[0].basis == basis_of(question)


@pytest.mark.parametrize(
    ("decision", "state", "error", "until"),
    [
        (Deny(Reason.WITHDRAWN), "denied", "withdrawn", 0),
        (Deny(Reason.NO_BLAST), "denied", "no_blast", 0),
        (Defer(1_800_000_000_000, Reason.HOURS), "deferred", "hours", 1_800_000_000_000),
    ],
)
async def test_what_is_not_allowed_ends_unsent(
    decision: Decision, state: str, error: str, until: int
) -> None:
    stage = Stage(answer_of("offer", **BULK), says=says(decision))
    await stage.until(lambda: stage.queue.filed)

    assert await stage.ended() == [(state, error)]
    assert (stage.texts, stage.queue.filed[0].until, stage.queue.filed[0].basis) == ([], until, None)


async def test_replies_and_service_texts_do_not_ask() -> None:
    texts = [
        answer_of(str(priority), f"38067000000{n}", message_id=f"m{n}", queue_id=f"{n}-0", priority=priority)
        for n, priority in enumerate((Priority.REPLY, Priority.SERVICE))
    ]
    stage = Stage(*texts, says=says(None))
    await stage.until(lambda: len(stage.open) == 2)

    assert await stage.ended() == [("accepted", None)] * 2
    assert stage.gate.asked == []


async def test_while_the_gate_is_away_nothing_leaves_and_it_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smpp.sending.gate_queue.ASK_AGAIN_S", 0)
    reply = answer_of("reply", message_id="r", queue_id="2-0")  # to the same phone: it does not wait
    stage = Stage(answer_of("offer", **BULK), reply, says=says(None))
    await stage.until(lambda: len(stage.gate.asked) > 5)
    assert stage.texts == ["reply"]

    stage.gate.says = says(Allow())
    stage.answer()
    await stage.until(lambda: len(stage.texts) == 2)
    assert await stage.ended() == [("accepted", None)] * 2


async def test_what_waits_for_a_gate_that_is_away_is_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smpp.sending.gate_queue.ASK_AGAIN_S", 0)
    stage = Stage(answer_of("offer", **BULK), says=says(None))
    await stage.until(lambda: stage.gate.asked)

    assert await stage.ended() == []
    assert [waiting.message_id for waiting in stage.queue.handed_back] == ["m1"]


async def test_a_word_that_grew_old_before_there_was_room_is_asked_again() -> None:
    """As of a process that stood still between the gate and the submit: its clock went on."""
    stage = Stage(answer_of("offer", **BULK))

    def frozen(_question: Question) -> Decision:
        if len(stage.gate.asked) == 1:
            stage.now += FRESH_S  # it sleeps here, and wakes with the answer in its hands
            return Allow()
        return Deny(Reason.WITHDRAWN)  # the person said STOP meanwhile

    stage.gate.says = frozen
    await stage.until(lambda: stage.queue.filed)

    assert await stage.ended() == [("denied", "withdrawn")]
    assert (len(stage.gate.asked), stage.texts) == (2, [])


async def test_a_word_just_young_enough_is_acted_on() -> None:
    stage = Stage(answer_of("offer", **BULK))

    def slow(_question: Question) -> Decision:
        stage.now += FRESH_S - 0.01
        return Allow()

    stage.gate.says = slow
    await stage.until(lambda: stage.open)
    assert await stage.ended() == [("accepted", None)]
    assert len(stage.gate.asked) == 1


async def test_a_refused_text_is_asked_for_again_before_it_is_repeated() -> None:
    stage = Stage(answer_of("offer", **BULK))
    await stage.until(lambda: stage.open)
    stage.gate.says = says(Deny(Reason.WITHDRAWN))
    stage.answer(statuses.RSYSERR)
    await stage.until(lambda: stage.queue.filed)

    assert await stage.ended() == [("denied", "withdrawn")]
    assert stage.texts == ["offer"]


async def test_the_rest_of_a_long_text_is_held_when_the_word_has_changed() -> None:
    stage = Stage(answer_of(LONG, **BULK), room=1)
    await stage.until(lambda: len(stage.open) == 1)
    stage.now += FRESH_S
    stage.gate.says = says(Defer(5, Reason.HOURS))  # half a text is not sent anew later
    stage.answer()
    await stage.until(lambda: stage.queue.filed)

    assert await stage.ended() == [("denied", "hours")]
    assert len(stage.link.submitted) == 1
    assert stage.queue.filed[0].basis is not None


async def test_nothing_leaves_while_the_network_takes_nothing() -> None:
    stage = Stage(answer_of("offer", **BULK))
    stage.link.clogged = True
    await stage.settle()
    assert (stage.texts, stage.gate.asked) == ([], [])

    stage.link.clogged = False
    stage.sender.on_ready()
    await stage.until(lambda: stage.open)
    assert await stage.ended() == [("accepted", None)]


async def test_marketing_waits_behind_a_reply_on_its_way_and_asks_anew() -> None:
    stage = Stage(answer_of("reply", message_id="r", queue_id="2-0"))
    await stage.until(lambda: stage.open)
    stage.queue.left.append(answer_of("offer", **BULK))
    await stage.until(lambda: stage.queue.handed_back)
    assert stage.texts == ["reply"]

    stage.answer()
    await stage.until(lambda: len(stage.texts) == 2)
    assert len(stage.gate.asked) == 2
    assert await stage.ended() == [("accepted", None)] * 2


async def test_a_hand_back_that_fails_takes_back_no_intent_of_a_text_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it is tried, the text before ends, and the one behind it leaves."""
    monkeypatch.setattr("smpp.sending.sender.STORAGE_RETRY_S", 0)
    stage = Stage(answer_of("reply", message_id="r", queue_id="2-0"))
    await stage.until(lambda: stage.open)
    taken_back, tried = stage.queue.hand_back, asyncio.Event()

    async def fails_once(_waiting: Sequence[Waiting]) -> None:
        stage.queue.hand_back = taken_back  # type: ignore[method-assign]
        stage.answer()
        await asyncio.sleep(0)
        tried.set()
        raise ConnectionResetError

    stage.queue.hand_back = fails_once  # type: ignore[method-assign, assignment]
    stage.queue.left.append(answer_of("offer", **BULK))
    await stage.until(lambda: tried.is_set() and stage.texts == ["reply", "offer"])
    await stage.settle()

    assert stage.queue.handed_back == []
    assert await stage.ended() == [("accepted", None)] * 2
    assert [sent.waiting.begun for sent in stage.queue.filed] == [1, 1]


async def test_what_a_person_asked_for_does_not_wait_for_a_ledger_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gate is away for whoever has to be noted; blasts stand before it and behind it."""
    monkeypatch.setattr("smpp.sending.gate_queue.ASK_AGAIN_S", 0)
    stage = Stage(says=lambda question: None if question.text else Allow())
    stage.queue.left += [
        answer_of("offer", **BULK),
        answer_of("asked", message_id="s", queue_id="3-0", priority=Priority.SERVICE, shopper="t", blast="8"),
        answer_of("offer", **BULK | {"message_id": "m2", "queue_id": "4-0", "shopper": "u"}),
    ]
    await stage.until(lambda: stage.open)
    assert stage.texts == ["asked"]
    stage.gate.says = says(Allow())
    stage.answer()
    await stage.until(lambda: stage.open)
    assert {state for state, _ in await stage.ended()} == {"accepted"}


async def test_an_offer_whose_turn_came_as_all_stops_is_in_no_doubt() -> None:
    stage = Stage(answer_of("reply", message_id="r", queue_id="2-0"))
    await stage.until(lambda: stage.open)

    def stops(_question: Question) -> Decision:
        asyncio.get_running_loop().call_soon(stage.answer)
        asyncio.get_running_loop().call_soon(stage.sender.stop)
        return Allow()

    stage.gate.says = stops
    stage.queue.left.append(answer_of("offer", **BULK))
    await stage.until(lambda: stage.gate.asked)
    await stage.settle()

    assert await stage.ended() == [("accepted", None)]
    assert (stage.texts, {w.message_id for w in stage.queue.handed_back}) == (["reply"], {"m1"})
