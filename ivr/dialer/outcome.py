"""What came of a call, from what Asterisk, the talk and we ourselves say of it. Pure."""

from __future__ import annotations

from gateway.domain.offer_call import Outcome
from ivr.ami.call_result import CallEnd, CallResult
from ivr.offer.order import OfferTold


def judge(end: CallEnd, told: OfferTold | None, broken: Outcome | None) -> Outcome:
    """`told`: None where no talk took place. `broken`: why we have hung up while it rang.

    Who has answered and heard nothing, because the talk broke or never began, is not called again.
    """
    if told is not None:
        return told.outcome or Outcome.FAILED
    if broken is Outcome.BROKEN_OFF and end.result is CallResult.UNKNOWN:
        return Outcome.UNKNOWN  # it may ring still, so it must not be made again
    if broken is not None:
        return broken
    if end.result is CallResult.ANSWERED:
        return Outcome.FAILED
    if end.result is CallResult.FAILED and end.cause is None:
        return Outcome.CONGESTION  # Asterisk made no channel: the trunk is down, and no telephone has rung
    return Outcome(end.result.value)
