"""What a call script hears and what it wants: events in, one action out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.answers.outcome import Outcome
from ivr.talk.sounds import Sounds


class Service(StrEnum):
    """What a script asks of the gateway; the record of a call has these words."""

    LOOK_UP = "look_up"  # the alias, and the language that was chosen earlier
    TEXT_ALIAS = "text_alias"
    ACTIVATE = "activate"
    BALANCE = "balance"
    CHOOSE_LANGUAGE = "choose_language"
    AGREE = "agree"  # to offers, after the question
    STOP = "stop"


class CallEnd(StrEnum):
    """Why a call ended: the closed set that is recorded and counted."""

    HUNG_UP = "hung_up"  # by the caller, who may well have heard all he wanted
    SILENCE = "silence"  # no key, or none that means anything, three times
    INSTEAD = "instead"  # who cannot be served was told what to do instead
    AWAY = "away"  # the gateway could do nothing for the caller
    TIME_UP = "time_up"
    STOPPED = "stopped"  # our process ended; Asterisk apologises
    FAULT = "fault"  # AGI broke; Asterisk apologises
    LOST = "lost"  # our process was killed; Asterisk apologises


# Actions.


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Play, broken off by a key, and hear at most `most` keys. Answered by Keyed.

    `waits`: for keys after the last sound, too.
    """

    sounds: Sounds
    most: int = 1
    waits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Have the gateway do something. Answered by its event below, or by Away."""

    service: Service
    language: str
    keyed: str = field(default="", repr=False)  # the code, for ACTIVATE


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Play to the end and hang up."""

    sounds: Sounds
    end: CallEnd


Action = Ask | Do | End


# Events.


@dataclass(frozen=True, slots=True)
class Keyed:
    """Keys that were pressed; "" after a silence."""

    keys: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """To LOOK_UP. `language`: None when none was ever chosen. `alias`: digits; None when it is away."""

    language: str | None
    alias: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """To ACTIVATE. `points`: credited now."""

    outcome: Outcome
    points: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """To BALANCE."""

    points: int


@dataclass(frozen=True, slots=True)
class Done:
    """To everything else."""


@dataclass(frozen=True, slots=True)
class Away:
    """To any service: it cannot be had now."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """Instead of Keyed: the call has lasted as long as one may. `keys`: that were pressed all the same."""

    keys: str = field(default="", repr=False)


Event = Keyed | Found | Judged | Counted | Done | Away | TimeUp
