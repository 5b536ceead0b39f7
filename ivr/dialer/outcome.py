"""What came of a call, from what Asterisk, the talk and we ourselves say of it. Pure."""

from __future__ import annotations

from typing import Final

from gateway.domain.offers.offer_call import MOST_SILENT, Outcome
from ivr.ami.call_result import CallEnd, CallResult
from ivr.offer.order import OfferTold

# Of calls that we have broken off: one may ring still, the other was taken in that very moment.
_NEVER_AGAIN: Final = {CallResult.UNKNOWN: Outcome.UNKNOWN, CallResult.ANSWERED: Outcome.FAILED}


def judge(end: CallEnd, told: OfferTold | None, broken: Outcome | None, *, uncounted: int = 0) -> Outcome:
    """`told`: None where no talk took place. `broken`: why we have hung up while it rang.

    `uncounted`: calls of this person before that were no attempts. Who has answered and heard nothing,
    because the talk broke or never began, is not called again.
    """
    if told is not None:
        return told.outcome or Outcome.FAILED
    if broken is Outcome.BROKEN_OFF and end.result in _NEVER_AGAIN:
        return _NEVER_AGAIN[end.result]
    return broken or _untalked(end, uncounted)


def _untalked(end: CallEnd, uncounted: int) -> Outcome:
    if end.result is CallResult.ANSWERED:
        return Outcome.FAILED
    if end.result is CallResult.FAILED and end.cause is None:
        return Outcome.CONGESTION  # Asterisk made no channel: the trunk is down, and no telephone has rung
    if end.result is CallResult.SILENT:  # a gateway may let somebody hear it ring, and tell us nothing of it
        return Outcome.CONGESTION if uncounted < MOST_SILENT else Outcome.NO_ANSWER
    return Outcome(end.result.value)
