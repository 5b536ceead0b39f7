"""What became of a call that we made, from what Asterisk says of it; pure.

Asterisk says it twice, in either order: OriginateResponse with a Reason (a control frame's number) and Hangup
with a Cause (ITU-T Q.850). 22 tells less than 16: who is unreachable looks like one who does not answer.
A cause does not say who has refused: 21 is the callee's 603 as well as the trunk's 401, 403 and 407. So the
dialplan's handler `undercap-gone` notes the SIP status in the Hangup event; 22.7 and later do so themselves.
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
    SILENT = "silent"  # nothing was heard of a telephone that rings: neither from the trunk nor by a 408
    TRUNK = "trunk"  # the trunk refuses us, and not the callee: the same
    BAD_NUMBER = "bad_number"
    FAILED = "failed"  # otherwise, with a cause of ours or of Asterisk
    UNKNOWN = (
        "unknown"  # Asterisk or the connection to it went, or nothing was heard in time: it may have rung
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """The end of a call. `cause`: Q.850, None where no Hangup was heard.

    `sip`: the last status that the trunk has sent; 0: none at all; None: Asterisk does not tell. `rang`: a
    telephone did, as far as the trunk says so (180).
    """

    result: CallResult
    cause: int | None
    sip: int | None = None
    rang: bool = False


RANG_OUT: Final = 3
MOVED: Final = 8  # of [undercap-moved]; the last status may not have been noted yet
TRYING: Final = 100  # the trunk has it
PROGRESS: Final = 180  # from here on a telephone rings, or something is heard in its place (183)
FINAL: Final = 300  # from here on the trunk has said its last word
REFUSED: Final = 400
TIMED_OUT: Final = 408  # of a telephone that rang, or of a proxy that hears nothing from behind it
UNAVAILABLE: Final = 480
BY_CAUSE: Final = {
    1: CallResult.BAD_NUMBER,  # unallocated: 404
    22: CallResult.BAD_NUMBER,  # changed
    28: CallResult.BAD_NUMBER,  # invalid format
    17: CallResult.BUSY,  # 486
    18: CallResult.NO_ANSWER,  # no user responding: 408, a dead trunk
    19: CallResult.NO_ANSWER,  # 480
    20: CallResult.UNREACHABLE,  # subscriber absent
    27: CallResult.UNREACHABLE,  # destination out of order
    21: CallResult.REJECTED,  # 603, or the trunk's 401, 403, 407: where nobody tells which
    34: CallResult.CONGESTION,  # no circuit: 503
    38: CallResult.CONGESTION,  # network out of order: 500
    41: CallResult.CONGESTION,
    42: CallResult.CONGESTION,
    102: CallResult.CONGESTION,  # 504
    127: CallResult.TRUNK,  # 402, 429, 488
}
# RFC 3261, 21; RFC 3398, 7.2.4.1 and 8.2.6.1: what speaks of the callee. Any other refusal is the trunk's.
BY_STATUS: Final = {
    404: CallResult.BAD_NUMBER,
    410: CallResult.BAD_NUMBER,
    484: CallResult.BAD_NUMBER,
    485: CallResult.BAD_NUMBER,
    604: CallResult.BAD_NUMBER,
    480: CallResult.NO_ANSWER,
    487: CallResult.NO_ANSWER,
    486: CallResult.BUSY,
    600: CallResult.BUSY,
    603: CallResult.REJECTED,
    607: CallResult.REJECTED,  # RFC 8197
    608: CallResult.REJECTED,  # RFC 8688
    502: CallResult.UNREACHABLE,  # Q.850's 27
    429: CallResult.CONGESTION,
    500: CallResult.CONGESTION,
    503: CallResult.CONGESTION,
    504: CallResult.CONGESTION,
}


def judge(
    *, answered: bool, reason: int, cause: int | None, sip: int | None = None, rang: bool = False
) -> CallResult:
    """The result, from OriginateResponse (Success or not, Reason) and Hangup (Cause, status, state)."""
    if answered:
        return CallResult.ANSWERED
    if reason == MOVED:
        return CallResult.FAILED  # it leads elsewhere, where we do not follow
    if reason != RANG_OUT and not cause and _on_its_way(sip, rang=rang):
        return CallResult.UNKNOWN
    if sip is not None:
        return _by_status(sip, cause, rang=rang)
    if reason == RANG_OUT:
        return CallResult.NO_ANSWER
    return CallResult.FAILED if cause is None else BY_CAUSE.get(cause, CallResult.FAILED)


def _on_its_way(sip: int | None, *, rang: bool) -> bool:
    """Whether the trunk had taken the call and not said its last word.

    Ended so before its time, without a cause (we give one), it was ended by Asterisk, which goes down.
    """
    return rang if sip is None else TRYING <= sip < FINAL


def _by_status(sip: int, cause: int | None, *, rang: bool) -> CallResult:
    if sip < FINAL:  # it ended without a word of the trunk: by time, or by us
        return CallResult.NO_ANSWER if rang or sip >= PROGRESS else CallResult.SILENT
    if sip == TIMED_OUT:
        return CallResult.NO_ANSWER if rang else CallResult.SILENT
    if sip == UNAVAILABLE and BY_CAUSE.get(cause or 0) is CallResult.UNREACHABLE:
        return CallResult.UNREACHABLE  # the operator's own Reason header (RFC 3326)
    if sip < REFUSED:
        return CallResult.FAILED  # it leads elsewhere, where we do not follow
    return BY_STATUS.get(sip, CallResult.TRUNK)
