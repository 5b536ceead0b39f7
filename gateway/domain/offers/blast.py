"""The life of a blast: its states, and what may be done in each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a blast stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    EXPIRED = "expired"
    DELETED = "deleted"  # its id alone is kept, so that it never becomes another one's; nobody is shown it


ENDED: Final = frozenset({State.CANCELLED, State.FINISHED, State.EXPIRED, State.DELETED})
ALIVE: Final = frozenset({State.SCHEDULED, State.RUNNING, State.PAUSED})
EDITABLE: Final = (State.DRAFT, State.SCHEDULED, State.PAUSED)  # as long as it has not begun


class Word(StrEnum):
    """What is done to a blast: by its marketer, by the clock, or by its own end."""

    SCHEDULE = "schedule"
    LAUNCH = "launch"
    PAUSE = "pause"
    RESUME = "resume"
    RESCHEDULE = "reschedule"  # it was paused before its time
    CANCEL = "cancel"
    FINISH = "finish"
    EXPIRE = "expire"
    DELETE = "delete"  # where it never began


_BECOMES: Final[Mapping[Word, tuple[frozenset[State], State]]] = MappingProxyType(
    {
        Word.SCHEDULE: (frozenset({State.DRAFT, State.SCHEDULED}), State.SCHEDULED),
        Word.LAUNCH: (frozenset({State.DRAFT, State.SCHEDULED}), State.RUNNING),
        Word.PAUSE: (frozenset({State.SCHEDULED, State.RUNNING}), State.PAUSED),
        Word.RESUME: (frozenset({State.PAUSED}), State.RUNNING),
        Word.RESCHEDULE: (frozenset({State.PAUSED}), State.SCHEDULED),
        Word.CANCEL: (ALIVE | {State.DRAFT}, State.CANCELLED),
        Word.FINISH: (frozenset({State.RUNNING}), State.FINISHED),
        Word.EXPIRE: (ALIVE, State.EXPIRED),
        Word.DELETE: (frozenset({State.DRAFT, State.CANCELLED, State.EXPIRED}), State.DELETED),
    }
)


def after(state: State, word: Word) -> State | None:
    """The state that `word` leads to; None where it cannot be done.

    >>> after(State.RUNNING, Word.PAUSE).value
    'paused'
    >>> after(State.FINISHED, Word.RESUME) is None
    True
    """
    where, becomes = _BECOMES[word]
    return becomes if state in where else None


def where(word: Word) -> tuple[State, ...]:
    """The states in which it can be done, for telling."""
    return tuple(state for state in State if state in _BECOMES[word][0])


class Fate(StrEnum):
    """What became of one recipient before a text of theirs reached the SMSC, or instead of it."""

    TEXTED = "texted"  # has a text in the sending queue or behind it: the text tells the rest
    CALLED = "called"  # is called, or was: gateway.domain.offers.offer_call tells the rest
    HELD = "held"  # of the holdout group: gets nothing, for comparison
    DEFERRED = "deferred"  # to a moment
    DENIED = "denied"  # by a reason
    CANCELLED = "cancelled"  # waited when the blast was cancelled
    EXPIRED = "expired"  # waited when the blast was over
