"""What became of a call that we made, from what Asterisk says of it; pure.

Asterisk says it twice, in either order: OriginateResponse with a Reason (a control frame's number) and Hangup
with a Cause (ITU-T Q.850). 22 tells less than 16: who is unreachable looks like one who does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CallResult(StrEnum):
    """What became of a call."""

    ANSWERED = "answered"  # what came of it is told by the talk
    BUSY = "busy"
    REJECTED = "rejected"  # by the callee: never call again for this
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"  # of the operator: slow down, and do not count the attempt
    BAD_NUMBER = "bad_number"
    FAILED = "failed"  # otherwise, with a cause of ours or of Asterisk
    UNKNOWN = "unknown"  # the connection was lost, or nothing was heard in time: it may have been made


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """The end of a call. `cause`: Q.850, None where no Hangup was heard."""

    result: CallResult
    cause: int | None


RANG_OUT: Final = 3
BY_CAUSE: Final = {
    1: CallResult.BAD_NUMBER,  # unallocated: 404
    22: CallResult.BAD_NUMBER,  # changed
    28: CallResult.BAD_NUMBER,  # invalid format
    17: CallResult.BUSY,  # 486
    18: CallResult.NO_ANSWER,  # no user responding: 408, a dead trunk
    19: CallResult.NO_ANSWER,  # 480
    20: CallResult.UNREACHABLE,  # subscriber absent
    27: CallResult.UNREACHABLE,  # destination out of order
    21: CallResult.REJECTED,  # 603
    34: CallResult.CONGESTION,  # no circuit: 503
    38: CallResult.CONGESTION,  # network out of order: 500
    41: CallResult.CONGESTION,
    42: CallResult.CONGESTION,
}


def judge(*, answered: bool, reason: int, cause: int | None) -> CallResult:
    """The result, from OriginateResponse (Success or not, Reason) and Hangup (Cause)."""
    if answered:
        return CallResult.ANSWERED
    if reason == RANG_OUT:
        return CallResult.NO_ANSWER
    return CallResult.FAILED if cause is None else BY_CAUSE.get(cause, CallResult.FAILED)
