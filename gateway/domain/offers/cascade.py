"""A cascade: whom a blast has not reached, so that the one that follows it tries the other channel. Pure."""

from __future__ import annotations

from typing import Final

from gateway.domain.offers.offer_call import Outcome

FOLLOW_AFTER_S: Final = 3_600  # by default: a text without a receipt for so long has not arrived
LEAST_AFTER_S: Final = 60
MOST_AFTER_S: Final = 7 * 86_400

# Texts that are known not to have arrived. One of unknown outcome may have: nobody gets an offer twice.
NOT_ARRIVED: Final = ("failed", "expired")

# Who was called and heard nothing. Whoever took the call and hung up, or rejected it, has answered: a text
# behind it would press them. A message that was left was heard, a number that does not exist takes no
# text, and of an unknown call nobody knows that it was not heard.
UNANSWERED: Final = (
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.UNREACHABLE,
    Outcome.MACHINE,
    Outcome.BROKEN_OFF,
    Outcome.CONGESTION,
    Outcome.TRUNK,
    Outcome.FAILED,
)
