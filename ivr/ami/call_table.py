"""The calls that we have made and that are not over: what Asterisk says of each, until it is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ivr.ami import hangup
from ivr.ami.call_result import CallEnd, CallResult, judge
from ivr.ami.originate import GRACE_S

EVENTS: Final = ("OriginateResponse", "Hangup")


@dataclass(slots=True)
class _Course:
    """What is known of a call. `answered`, `reason`: of OriginateResponse; the others: of Hangup."""

    end: asyncio.Future[CallEnd]
    timer: asyncio.TimerHandle
    answered: bool | None = None
    reason: int = 0
    cause: int | None = None
    sip: int | None = None
    rang: bool = False


class CallTable:
    """By id, which nobody can guess: an event with an id that stands here is Asterisk's own."""

    def __init__(self) -> None:
        self._courses: dict[str, _Course] = {}
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._courses)

    def begin(self, call_id: str, deadline_s: float) -> asyncio.Future[CallEnd]:
        """What `call_id` comes to; told at the latest after `deadline_s` seconds."""
        timer = self._loop.call_later(deadline_s, self._give_up, call_id)
        course = self._courses[call_id] = _Course(self._loop.create_future(), timer)
        return course.end

    def forget(self, call_id: str) -> None:
        """It was not made, or nobody waits any more."""
        course = self._courses.pop(call_id, None)
        if course is not None:
            course.timer.cancel()

    def heard(self, event: str, headers: Mapping[str, str]) -> None:
        """An event; of calls that are not ours, or are over, nothing is done."""
        call_id = headers.get("ActionID" if event == "OriginateResponse" else "Uniqueid", "")
        course = self._courses.get(call_id)
        if course is None:
            return
        if event == "OriginateResponse":
            course.answered = headers.get("Response") == "Success"
            course.reason = hangup.number(headers.get("Reason")) or 0
        elif event == "Hangup":
            course.cause = hangup.number(headers.get("Cause")) or 0
            course.sip, course.rang = hangup.status(headers), hangup.rang(headers)
        if course.answered is not None and course.cause is not None:
            self._give_up(call_id)
        elif course.answered is not True:  # the other of the two comes at once, or not at all
            course.timer.cancel()
            course.timer = self._loop.call_later(GRACE_S, self._give_up, call_id)

    def lose(self) -> None:
        """The connection is lost: what came of the calls on their way will not be told any more."""
        for call_id in list(self._courses):
            self._give_up(call_id)

    def _give_up(self, call_id: str) -> None:
        """Judge by what is known."""
        course = self._courses.pop(call_id)
        course.timer.cancel()
        if course.end.done():
            return
        if course.answered is None:
            result = CallResult.UNKNOWN
        else:
            result = judge(
                answered=course.answered,
                reason=course.reason,
                cause=course.cause,
                sip=course.sip,
                rang=course.rang,
            )
        course.end.set_result(CallEnd(result=result, cause=course.cause, sip=course.sip, rang=course.rang))
