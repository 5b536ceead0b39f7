"""The course of one call of a blast: it leaves at its moment on a fresh word, or never was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from gateway.domain.offers.offer_call import Outcome
from gateway.domain.policy.verdict import Deny, Reason
from gateway.store.calls.slots import Given
from gateway.usecases.consent.gate import FRESH_S
from ivr.ami.call_result import CallEnd, CallResult
from ivr.ami.faults import Lost, Refused
from ivr.dialer import attempt
from ivr.dialer import call as dialer_call
from ivr.dialer.call import LATE_S, OfferCall
from ivr.offer.order import OfferTold
from tests.unit.ivr.dialer.fakes import NOW, Stage, offer_call, told

ANSWERED = CallEnd(result=CallResult.ANSWERED, cause=16)


async def begun(stage: Stage, *, begins_in: float = 0.0, deadline_s: float = 5.0) -> OfferCall:
    """The gate has just allowed it."""
    call = offer_call(begins_in=begins_in, deadline_s=deadline_s)
    (call.verdict,) = await stage.gate.ask([attempt.question(call)])
    stage.gate.asked.clear()
    stage.table.add(call)
    return call


async def test_it_leaves_at_its_moment_and_its_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer_call, "LATE_S", 60.0)  # a busy machine may be late
    stage = Stage()
    call = await begun(stage, begins_in=0.05)
    await attempt.run(call, stage.ways())
    ((call_id, at),) = stage.phone.called
    assert (call_id, stage.gate.asked, stage.slots.taken) == ("o1", [], [])
    assert at >= call.begins_at
    (ended,) = stage.ended
    assert (ended.outcome, ended.cause, ended.then.due_at) == (Outcome.BUSY, 17, NOW + 600_000)
    assert stage.slots.back == ["o1"]
    assert len(stage.table) == 0


@pytest.mark.parametrize("old", ["word", "moment"])
async def test_what_has_grown_old_is_asked_for_again(old: str) -> None:
    stage = Stage()
    call = await begun(stage)
    if old == "word":
        assert call.verdict is not None
        stage_clock = time.monotonic() - FRESH_S
        call.verdict = type(call.verdict)(
            decision=call.verdict.decision, asked_at=stage_clock, basis=call.verdict.basis
        )
    else:
        call.begins_at -= 2 * LATE_S
    await attempt.run(call, stage.ways())
    assert (len(stage.gate.asked), stage.slots.taken) == (1, ["o1"])
    assert len(stage.phone.called) == 1


def _says_no(stage: Stage, call: OfferCall) -> None:
    call.begins_at -= 1.0
    stage.gate.says = lambda _: Deny(Reason.WITHDRAWN)


def _is_away(stage: Stage, call: OfferCall) -> None:
    call.begins_at -= 1.0
    stage.gate.says = lambda _: None


def _has_no_slot(stage: Stage, call: OfferCall) -> None:
    call.begins_at -= 1.0
    stage.slots.gives = Given.PERSON


def _asterisk_away(stage: Stage, call: OfferCall) -> None:
    del call
    stage.phone.up.clear()


def _broken(stage: Stage, call: OfferCall) -> None:
    del stage
    call.broken = Outcome.WITHDRAWN


@pytest.mark.parametrize("happens", [_says_no, _is_away, _has_no_slot, _asterisk_away, _broken])
async def test_what_may_not_leave_never_was(happens: Callable[[Stage, OfferCall], None]) -> None:
    stage = Stage()
    call = await begun(stage)
    happens(stage, call)
    await attempt.run(call, stage.ways())
    assert stage.phone.called == []
    assert [ended.outcome for ended in stage.ended] == [None]
    assert stage.slots.back == ["o1"]


async def test_nothing_is_written_behind_what_asterisk_has_not_read() -> None:
    stage = Stage()
    call = await begun(stage)
    stage.phone.clogged = True
    says = stage.gate.says

    def asked(question: object) -> object:
        stage.phone.clogged = False
        return says(question)  # type: ignore[arg-type]  # passed through

    stage.gate.says = asked  # type: ignore[assignment]  # as above
    await attempt.run(call, stage.ways())
    assert (len(stage.gate.asked), len(stage.phone.called)) == (1, 1)


async def test_the_talk_says_what_came_of_an_answered_call() -> None:
    stage = Stage()
    call = await begun(stage)
    stage.phone.end = ANSWERED

    def rings() -> None:
        assert stage.table.order("o1") is call.order
        stage.table.tell("o1", told(Outcome.ACCEPTED))

    stage.phone.rings = rings
    await attempt.run(call, stage.ways())
    (ended,) = stage.ended
    assert (ended.outcome, ended.keys, ended.answered_by) == (Outcome.ACCEPTED, "1", "human")
    assert ended.then.due_at is None


async def test_an_order_is_given_once_and_not_for_what_is_hung_up() -> None:
    stage = Stage()
    call = await begun(stage)
    assert stage.table.order("o2") is None
    assert stage.table.order("o1") is call.order
    assert stage.table.order("o1") is None
    call.taken, call.broken = False, Outcome.WITHDRAWN
    assert stage.table.order("o1") is None


async def test_the_operator_has_no_room() -> None:
    stage = Stage()
    stage.phone.end = CallEnd(result=CallResult.CONGESTION, cause=34)
    await attempt.run(await begun(stage), stage.ways())
    (ended,) = stage.ended
    assert (ended.outcome, ended.then.counts, len(stage.trunk)) == (Outcome.CONGESTION, False, 1)


async def test_what_asterisk_refuses_is_no_attempt() -> None:
    stage = Stage()
    stage.phone.end = Refused("no")
    await attempt.run(await begun(stage), stage.ways())
    assert [ended.outcome for ended in stage.ended] == [Outcome.CONGESTION]


async def test_a_call_that_was_lost_is_unknown_by_its_deadline_and_keeps_its_slot() -> None:
    stage = Stage()
    stage.phone.end = Lost("gone")
    call = await begun(stage, deadline_s=0.1)
    before = time.monotonic()
    await attempt.run(call, stage.ways())
    assert time.monotonic() - before >= 0.1
    assert [(e.outcome, e.then.due_at) for e in stage.ended] == [(Outcome.UNKNOWN, None)]
    assert stage.slots.back == []


async def test_of_a_call_that_asterisk_has_ended_unasked_nothing_is_waited_for() -> None:
    stage = Stage()
    stage.phone.end = CallEnd(result=CallResult.UNKNOWN, cause=0, sip=180, rang=True)
    async with asyncio.timeout(5.0):
        await attempt.run(await begun(stage, deadline_s=60.0), stage.ways())
    (ended,) = stage.ended
    assert (ended.outcome, ended.then.due_at, ended.then.counts) == (Outcome.UNKNOWN, None, True)
    assert stage.slots.back == ["o1"]


async def test_a_call_that_was_lost_and_goes_on_tells_by_its_talk() -> None:
    stage = Stage()
    stage.phone.end = Lost("gone")
    stage.phone.rings = lambda: stage.table.tell("o1", told(Outcome.REFUSED))
    await attempt.run(await begun(stage), stage.ways())
    assert [ended.outcome for ended in stage.ended] == [Outcome.REFUSED]


@pytest.mark.parametrize(
    ("talk", "outcomes"),
    [(None, []), (told(), [Outcome.FAILED]), (told(Outcome.REFUSED), [Outcome.REFUSED])],
    ids=["rings", "the talk was cut off", "the talk is over"],
)
async def test_at_the_end_of_the_process_what_a_talk_has_told_is_filed(
    talk: OfferTold | None, outcomes: list[Outcome]
) -> None:
    """Asterisk has not told of the call's end yet."""
    stage = Stage()
    never = asyncio.Event()

    async def originate(order: object, call_id: str) -> CallEnd:
        del order, call_id
        await never.wait()
        raise AssertionError

    stage.phone.originate = originate  # type: ignore[method-assign]  # a call that goes on
    call = await begun(stage)
    running = asyncio.create_task(attempt.run(call, stage.ways()))
    await asyncio.sleep(0.02)
    if talk is not None:
        stage.table.tell("o1", talk)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [ended.outcome for ended in stage.ended] == outcomes
    assert len(stage.table) == (0 if outcomes else 1)
