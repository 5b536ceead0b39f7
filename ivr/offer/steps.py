"""What the script of an offer call wants and hears beside what the steps of every talk are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ivr.offer.order import AnsweredBy
from ivr.talk.sounds import Sounds
from ivr.talk.steps import Ask, Away, Done, Keyed, TimeUp


class OfferService(StrEnum):
    """What a callee's key asks of the gateway."""

    SEND = "send"  # the offer by SMS
    REFUSE = "refuse"  # no more offers


# Actions.


@dataclass(frozen=True, slots=True)
class Listen:
    """Find out who has answered. Answered by Answered."""


@dataclass(frozen=True, slots=True)
class AwaitSilence:
    """Until a machine's greeting is over. Answered by Done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Have the gateway do something. Answered by Done; by Away where it is done later."""

    service: OfferService


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Play to the end and hang up."""

    sounds: Sounds


Step = Listen | AwaitSilence | Ask | Do
Action = Step | End


# Events.


@dataclass(frozen=True, slots=True)
class Answered:
    """To Listen."""

    by: AnsweredBy


Event = Answered | Keyed | TimeUp | Done | Away
