"""Whether the trunk carries our calls at all, from what came of them. Pure.

One refusal may be about one number: the operator does not let us call it, or has no room just now. Many in a
row, of whomever we call, with no call in between that reached a telephone, are about us: no more people are
tried, since every one of them would only be refused, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ivr.ami.call_result import CallEnd, CallResult

REFUSED_IN_A_ROW: Final = 5
FAILED_IN_A_ROW: Final = 8  # for want of room, or in silence: that may pass
FAILED_FOR_S: Final = 60.0
FORGOTTEN_S: Final = 600.0  # a refusal says nothing of the trunk any more
_THROUGH: Final = frozenset(
    {
        *(CallResult.ANSWERED, CallResult.BUSY, CallResult.REJECTED, CallResult.NO_ANSWER),
        *(CallResult.UNREACHABLE, CallResult.BAD_NUMBER),
    }
)
_MEANS: Final[Mapping[int, str]] = {  # RFC 3261, 21.4 and 21.5
    401: "it wants a password, or another one than Asterisk has (outbound_auth of the endpoint)",
    402: "it wants to be paid",
    403: "it forbids the call: our address, account, balance or caller_number",
    407: "it wants a password, or another one than Asterisk has (outbound_auth of the endpoint)",
    429: "too many calls for its contract (ivr.offer_calls_per_s)",
    488: "it takes none of the endpoint's codecs",
    500: "a fault of its own",
    503: "it has no room, or is out of service",
    504: "it hears nothing from the network behind it",
}


class Blame(Enum):
    """What the end of a call says of the trunk."""

    NONE = auto()  # it has brought us to the callee, or to the number that does not exist
    NOTHING = auto()
    REFUSES = auto()
    FAILS = auto()  # no room, no answer, no channel: that may pass by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkFault:
    """Why no more calls should be made. `word`: 20 characters at most, of a blast; `told`: a sentence."""

    word: str
    told: str


def blame(end: CallEnd) -> Blame:
    """Of one call that was made."""
    if end.result is CallResult.REJECTED and end.sip is None and not end.rang:
        return Blame.REFUSES  # Asterisk does not tell a callee's 603 from the trunk's 403, and nothing rang
    if end.result in _THROUGH:
        return Blame.NONE
    if end.result is CallResult.TRUNK:
        return Blame.REFUSES
    no_channel = end.result is CallResult.FAILED and end.cause is None
    if no_channel or end.result in (CallResult.CONGESTION, CallResult.SILENT):
        return Blame.FAILS
    return Blame.NOTHING


class Trunk:
    """Of one dialer. Time is an argument: seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._row: deque[tuple[float, Blame]] = deque(maxlen=64)
        self.fault: TrunkFault | None = None  # until a call gets through again

    def ended(self, end: CallEnd, now: float, *, talking: bool) -> TrunkFault | None:
        """A call is over; why no more should be made. `talking`: to somebody else, over this trunk, now."""
        blamed = blame(end)
        if blamed is Blame.NONE:
            self._row.clear()
            self.fault = None
        if blamed in (Blame.NONE, Blame.NOTHING):
            return None
        self._row.append((now, blamed))
        while now - self._row[0][0] > FORGOTTEN_S:
            self._row.popleft()
        if not self._enough(blamed, now, talking=talking):
            return None
        self.fault = _fault(end, blamed)
        return self.fault

    def _enough(self, blamed: Blame, now: float, *, talking: bool) -> bool:
        if blamed is Blame.REFUSES:
            return sum(one is blamed for _, one in self._row) >= REFUSED_IN_A_ROW
        lasts = now - self._row[0][0] >= FAILED_FOR_S
        return len(self._row) >= FAILED_IN_A_ROW and lasts and not talking


def _fault(end: CallEnd, blamed: Blame) -> TrunkFault:
    status = end.sip or 0
    if status < 400:
        silent = end.result is CallResult.SILENT
        return TrunkFault(
            word="trunk is silent"
            if silent
            else "trunk refuses"
            if blamed is Blame.REFUSES
            else "trunk fails",
            told="nothing is heard from it" if silent else f"Asterisk says cause {end.cause}",
        )
    means = _MEANS.get(status, "see RFC 3261, 21")
    word = "refuses" if blamed is Blame.REFUSES else "fails"
    return TrunkFault(word=f"trunk {word}: {status}", told=f"SIP {status}: {means}")
