"""What an offer call comes to, and what that means for the next one."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.domain.offers.offer_call import CallPlan, Next, Outcome, Spoken, after
from ivr.ami.call_result import CallEnd, CallResult
from ivr.dialer.outcome import judge
from ivr.offer.order import AnsweredBy, OfferTold

PLAN: Final = CallPlan(
    spoken={"en": Spoken(intro=1, offer=2)}, max_attempts=2, retry_busy_s=600, retry_no_answer_s=7_200
)
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE

AFTER: Final = {
    "busy": (Outcome.BUSY, 1, 0, Next(due_at=10 * MINUTE)),
    "busy at the last attempt": (Outcome.BUSY, 2, 0, Next(due_at=None)),
    "no answer": (Outcome.NO_ANSWER, 1, 0, Next(due_at=2 * HOUR)),
    "rejected": (Outcome.REJECTED, 1, 0, Next(due_at=None)),
    "answered, and the talk broke": (Outcome.FAILED, 1, 0, Next(due_at=None)),
    "unknown": (Outcome.UNKNOWN, 1, 0, Next(due_at=None)),
    "no room": (Outcome.CONGESTION, 1, 0, Next(due_at=MINUTE, counts=False)),
    "no room, again": (Outcome.CONGESTION, 1, 2, Next(due_at=4 * MINUTE, counts=False)),
    "no room for days": (Outcome.CONGESTION, 1, 5_000, Next(due_at=HOUR, counts=False)),
    "the trunk refuses": (Outcome.TRUNK, 1, 0, Next(due_at=MINUTE, counts=False)),
    "the trunk refuses this number alone": (Outcome.TRUNK, 1, 9, Next(due_at=None, counts=False)),
    "broken off": (Outcome.BROKEN_OFF, 1, 0, Next(due_at=10 * MINUTE, counts=False)),
    "broken off again": (Outcome.BROKEN_OFF, 1, 1, Next(due_at=10 * MINUTE, counts=False)),
    "broken off a third time": (Outcome.BROKEN_OFF, 1, 2, Next(due_at=10 * MINUTE)),
    "broken off too often": (Outcome.BROKEN_OFF, 2, 2, Next(due_at=None)),
}


@pytest.mark.parametrize(("outcome", "attempts", "uncounted", "then"), AFTER.values(), ids=list(AFTER))
def test_what_an_outcome_leads_to(outcome: Outcome, attempts: int, uncounted: int, then: Next) -> None:
    assert after(outcome, attempts, PLAN, 0, uncounted=uncounted) == then


def told(outcome: Outcome | None) -> OfferTold:
    return OfferTold(outcome=outcome, answered_at=1, answered_by=AnsweredBy.HUMAN)


JUDGED: Final = {
    "the talk tells": (CallResult.ANSWERED, told(Outcome.LATER), None, Outcome.LATER),
    "the talk tells of what Asterisk has lost": (
        *(CallResult.UNKNOWN, told(Outcome.ACCEPTED), None, Outcome.ACCEPTED),
    ),
    "the talk broke": (CallResult.ANSWERED, told(None), None, Outcome.FAILED),
    "answered and never talked": (CallResult.ANSWERED, None, None, Outcome.FAILED),
    "hung up while it rang": (CallResult.FAILED, None, Outcome.BROKEN_OFF, Outcome.BROKEN_OFF),
    "answered as it was hung up": (CallResult.ANSWERED, None, Outcome.BROKEN_OFF, Outcome.FAILED),
    "may ring still": (CallResult.UNKNOWN, None, Outcome.BROKEN_OFF, Outcome.UNKNOWN),
    "a STOP while it rang": (CallResult.ANSWERED, None, Outcome.WITHDRAWN, Outcome.WITHDRAWN),
    "busy": (CallResult.BUSY, None, None, Outcome.BUSY),
    "the trunk refuses": (CallResult.TRUNK, None, None, Outcome.TRUNK),
    "nothing rang": (CallResult.SILENT, None, None, Outcome.CONGESTION),
}


@pytest.mark.parametrize(("result", "talk", "broken", "outcome"), JUDGED.values(), ids=list(JUDGED))
def test_what_a_call_comes_to(
    result: CallResult, talk: OfferTold | None, broken: Outcome | None, outcome: Outcome
) -> None:
    assert judge(CallEnd(result=result, cause=16), talk, broken) is outcome


@pytest.mark.parametrize(
    ("uncounted", "outcome"), [(0, Outcome.CONGESTION), (1, Outcome.CONGESTION), (2, Outcome.NO_ANSWER)]
)
def test_what_never_rings_is_no_answer_in_the_end(uncounted: int, outcome: Outcome) -> None:
    end = CallEnd(result=CallResult.SILENT, cause=18, sip=408)
    assert judge(end, None, None, uncounted=uncounted) is outcome
