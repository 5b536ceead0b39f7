"""Offer calls: how the calls of a blast are made, and what an outcome means for the next one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from config.policies import ChannelRules

# Until a call is tried again that the operator had no room for, or refused; doubled each time.
CONGESTION_WAIT_MS: Final = 60_000
MOST_CONGESTION_WAIT_MS: Final = 3_600_000
MOST_REFUSED: Final = 9  # calls of a person that the trunk refuses, and is called again for: some four hours
MOST_SILENT: Final = 2  # of a person, behind which nothing rang; then it is taken for no answer
MOST_BROKEN_OFF: Final = 2  # calls that are no attempt: pausing and resuming must ring nobody for ever
LEAST_CALLS_PER_S: Final = 0.01  # Redis reckons the time between two calls in whole milliseconds
MOST_RING_S: Final = 60
MOST_INTERVAL_S: Final = 7 * 86_400


class OnMachine(StrEnum):
    """What is done when an answering machine answers."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    IGNORE = "ignore"  # nothing is looked for: whoever answers hears the offer at once


class Spoken(BaseModel):
    """The firm's recordings in one language. `intro`: who calls and why; `offer`: what is offered. Ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intro: Annotated[int, Field(gt=0, lt=2**53)]
    offer: Annotated[int, Field(gt=0, lt=2**53)]


class CallPlan(BaseModel):
    """How a blast calls. Kept with the blast as JSON; intervals in seconds.

    `spoken`: by language. `channels`: at most so many calls at once, over all dialers. `max_attempts`: the
    policy pack of the person may allow fewer. `retry_later_s`: after key 2. `free_number`: told to a machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spoken: Annotated[Mapping[str, Spoken], Field(min_length=1)]
    calls_per_s: Annotated[float, Field(ge=LEAST_CALLS_PER_S, le=100)] = 2.0
    channels: Annotated[int, Field(ge=1, le=2_000)] = 20
    ring_s: Annotated[int, Field(ge=5, le=MOST_RING_S)] = 30
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    retry_busy_s: Annotated[int, Field(ge=30, le=MOST_INTERVAL_S)] = 600
    retry_no_answer_s: Annotated[int, Field(ge=60, le=MOST_INTERVAL_S)] = 7_200
    retry_later_s: Annotated[int, Field(ge=60, le=MOST_INTERVAL_S)] = 86_400
    on_machine: OnMachine = OnMachine.HANG_UP
    free_number: Annotated[str, Field(pattern=r"^[0-9]{0,15}$")] = ""

    def language(self, known: str | None, fallback: str) -> str:
        """In which one somebody is called. `known`: theirs, if anybody has told; `fallback`: the blast's."""
        spoken = (word for word in (known, fallback) if word in self.spoken)
        return next(spoken, None) or next(iter(self.spoken))

    def within(self, rules: ChannelRules) -> CallPlan:
        """As a policy pack allows it: it rings for no less, and there are no more attempts."""
        ring_s = max(self.ring_s, min(rules.min_ring_s, MOST_RING_S))
        attempts = min(self.max_attempts, rules.max_attempts)
        return self.model_copy(update={"ring_s": ring_s, "max_attempts": attempts})


class Outcome(StrEnum):
    """What came of calling one person: of one call, and of the last one for the person."""

    # Answered by a person: never again for this blast, but for LATER, who asked for it.
    ACCEPTED = "accepted"  # key 1: the offer goes out by SMS
    LATER = "later"  # key 2
    REFUSED = "refused"  # key 9: no more offers
    HEARD = "heard"  # all of it, and no key
    HUNG_UP = "hung_up"  # before the end
    # Answered by a machine.
    MACHINE = "machine"  # hung up on it
    MESSAGE_LEFT = "message_left"
    # Not answered.
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"  # by the callee: never again
    BAD_NUMBER = "bad_number"
    CONGESTION = "congestion"  # of the operator; it was no attempt
    TRUNK = "trunk"  # the operator's trunk refused us, and not the callee: no attempt either
    WITHDRAWN = "withdrawn"  # a STOP came while it rang, and it was hung up
    BROKEN_OFF = "broken_off"  # by us while it rang, for another reason; the first few are no attempts
    FAILED = "failed"
    UNKNOWN = "unknown"  # whether it was made is not known, so it never is again
    # Not called any more.
    DENIED = "denied"  # by the gate, for a reason
    CANCELLED = "cancelled"  # the blast was
    EXPIRED = "expired"  # the blast was over


class CallState(StrEnum):
    """Of a person who is to be called by a blast."""

    WAITING = "waiting"  # until its due time
    CALLING = "calling"  # its attempt is on disk, and has no end yet
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What an outcome leads to. `due_at`: when to call again, ms since 1970; None: never again.

    `counts`: whether the call was an attempt.
    """

    due_at: int | None
    counts: bool = True


def after(outcome: Outcome, attempts: int, plan: CallPlan, now: int, *, uncounted: int = 0) -> Next:
    """`attempts`: made so far, this one included. `uncounted`: calls before that were none.

    `now`: ms since 1970.

    >>> plan = CallPlan(spoken={"en": Spoken(intro=1, offer=2)})
    >>> after(Outcome.BUSY, 1, plan, 0).due_at
    600000
    >>> after(Outcome.BUSY, 3, plan, 0).due_at is None
    True
    """
    if (
        outcome is Outcome.TRUNK and uncounted >= MOST_REFUSED
    ):  # to this number alone; else the blast is paused
        return Next(due_at=None, counts=False)
    if outcome in (Outcome.CONGESTION, Outcome.TRUNK):
        wait_ms = min(CONGESTION_WAIT_MS << min(uncounted, 10), MOST_CONGESTION_WAIT_MS)
        return Next(due_at=now + wait_ms, counts=False)
    if outcome is Outcome.BROKEN_OFF and uncounted < MOST_BROKEN_OFF:  # a telephone that rang rests a while
        return Next(due_at=now + plan.retry_busy_s * 1000, counts=False)
    waits_s = _intervals(plan).get(outcome)
    if waits_s is None or attempts >= plan.max_attempts:
        return Next(due_at=None)
    return Next(due_at=now + waits_s * 1000)


def _intervals(plan: CallPlan) -> Mapping[Outcome, int]:
    return {
        Outcome.BUSY: plan.retry_busy_s,
        Outcome.BROKEN_OFF: plan.retry_busy_s,
        Outcome.NO_ANSWER: plan.retry_no_answer_s,
        Outcome.UNREACHABLE: plan.retry_no_answer_s,
        Outcome.MACHINE: plan.retry_no_answer_s,
        Outcome.LATER: plan.retry_later_s,
    }
