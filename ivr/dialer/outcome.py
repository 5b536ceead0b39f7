"""What came of a call, from what Asterisk, the talk and we ourselves say of it. Pure."""

from __future__ import annotations

from typing import Final

from gateway.domain.offer_call import Outcome
from ivr.ami.call_result import CallEnd, CallResult
from ivr.offer.order import OfferTold

# Of calls that we have broken off: one may ring still, the other was taken in that very moment.
_NEVER_AGAIN: Final = {CallResult.UNKNOWN: Outcome.UNKNOWN, CallResult.ANSWERED: Outcome.FAILED}


def judge(end: CallEnd, told: OfferTold | None, broken: Outcome | None) -> Outcome:
    """`told`: None where no talk took place. `broken`: why we have hung up while it rang.

    Who has answered and heard nothing, because the talk broke or never began, is not called again.
    """
    if told is not None:
        return told.outcome or Outcome.FAILED
    if broken is Outcome.BROKEN_OFF and end.result in _NEVER_AGAIN:
        return _NEVER_AGAIN[end.result]
    if broken is not None:
        return broken
    if end.result is CallResult.ANSWERED:
        return Outcome.FAILED
    if end.result is CallResult.FAILED and end.cause is None:
        return Outcome.CONGESTION  # Asterisk made no channel: the trunk is down, and no telephone has rung
    return Outcome(end.result.value)
