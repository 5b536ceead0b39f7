"""The blasts that call now, with their recordings where Asterisk reads them; follows SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol

import structlog

from gateway.domain.offers.offer_call import Spoken
from gateway.store.calls.offer_queue import Calling

EVERY_S: Final = 1.0
log = structlog.get_logger()

Sounds = Mapping[str, tuple[str, str]]  # intro and offer by language


class Recordings(Protocol):
    """ivr.offer.recordings."""

    def put(self, ids: Iterable[int]) -> Mapping[int, str]:
        """Have these recordings there; their names, by id. Raises OSError, SQLAlchemyError."""


class Audible(NamedTuple):
    """A blast that can be called for."""

    blast: Calling
    sounds: Sounds


class RunningBlasts:
    """`running`: asks SQL. Blocks: to be used beside an event loop."""

    def __init__(self, running: Callable[[], list[Calling]], recordings: Recordings) -> None:
        self._running = running
        self._recordings = recordings
        self._found: list[Audible] = []
        self._until = 0.0
        self._mute: set[int] = set()  # blasts whose recordings are missing, and that is told

    def now(self) -> list[Audible]:
        """As they stand, at the latest a second ago. Raises OSError, SQLAlchemyError."""
        if time.monotonic() >= self._until:
            found = [Audible(blast, self._sounds(blast)) for blast in self._running()]
            self._tell_mute({one.blast.id for one in found if not one.sounds})
            self._found = [one for one in found if one.sounds]
            self._until = time.monotonic() + EVERY_S
        return self._found

    def _sounds(self, blast: Calling) -> Sounds:
        """Of all its languages; nothing where one is missing."""
        spoken = blast.plan.spoken
        names = self._recordings.put(_ids(spoken.values()))
        if not all(id_ in names for id_ in _ids(spoken.values())):
            return {}
        return {language: (names[said.intro], names[said.offer]) for language, said in spoken.items()}

    def _tell_mute(self, mute: set[int]) -> None:
        for blast_id in mute - self._mute:
            log.error("a blast cannot call: a recording of it is gone", blast=blast_id)
        self._mute = mute


def _ids(spoken: Iterable[Spoken]) -> set[int]:
    return {id_ for said in spoken for id_ in (said.intro, said.offer)}
