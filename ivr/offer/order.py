"""What the dialer orders for a call, and what it is told when the talk is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer_call import OnMachine, Outcome


class AnsweredBy(StrEnum):
    """Who took the call, as far as its first seconds tell; the record of the call has these words."""

    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"  # nothing was looked for, or nothing was heard


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferOrder:
    """One call to be talked. Whoever gives one makes sure that its sounds are there.

    `call_id`: the call's Uniqueid at Asterisk, which nobody can guess. `intro`, `offer`: the firm's
    recordings, as ivr.offer.recordings names them below the directory of sounds, without an extension.
    `free_number`: digits told to a machine; empty: none.
    """

    call_id: str
    callee: Callee
    intro: str
    offer: str
    on_machine: OnMachine
    free_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTold:
    """What came of a talk. Told once for each call that was handed over to us.

    `outcome`: None when the talk broke before anything was decided: how the call ended is Asterisk's to say.
    `answered_at`: ms since 1970. `keys`: pressed, in their order.
    """

    outcome: Outcome | None
    answered_at: int
    answered_by: AnsweredBy
    keys: str = ""
