"""What one pass of a drain did, and what a worker remembers of the passes: whose turn it is, who passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from config.outage import Outage

FIRST_WAIT_S: Final = 1.0  # of a firm or link whose drain failed; doubled each time
LONGEST_WAIT_S: Final = 30.0
_MOST_TRIED: Final = 10_000
log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one pass did. `dead`: laid aside now; `failed`: to be tried again later."""

    settled: int = 0
    results: int = 0
    receipts: Mapping[str, int] = field(default_factory=dict)  # by what became of them
    dead: int = 0
    failed: int = 0
    seconds: float = 0.0  # for the texts

    @property
    def anything(self) -> bool:
        """Whether there was work."""
        return bool(self.settled or self.results or self.receipts or self.dead)


class Turns:
    """Of one worker, for its life. `clock`: monotonic seconds.

    Firms and links begin in turn, so that a slow one costs the others its own turn and no more; one whose
    drain fails is put off while others go on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, int] = {}
        self._put_off: dict[str, tuple[float, float]] = {}  # until when, and for how long
        self._away: dict[str, Outage] = {}
        self._passed_at: dict[str, float] = {}
        self._tried: dict[tuple[str, object, bytes], float] = {}

    def ordered(self, kind: str, names: Sequence[T]) -> list[T]:
        """All of them, another one first each time."""
        if not names:
            return []
        at = self._next[kind] = (self._next.get(kind, -1) + 1) % len(names)
        return [*names[at:], *names[:at]]

    def may_begin(self, name: str) -> bool:
        """Whether a firm or link is not put off."""
        return self._clock() >= self._put_off.get(name, (0.0, 0.0))[0]

    def put_off(self, name: str, reason: str) -> None:
        """Its drain failed, and another one's did not."""
        _, before = self._put_off.get(name, (0.0, 0.0))
        wait = min(LONGEST_WAIT_S, before * 2 or FIRST_WAIT_S)
        self._put_off[name] = self._clock() + wait, wait
        self._away.setdefault(name, Outage("not drained; it is tried again", of=name)).on(reason)

    def went_well(self, name: str) -> None:
        """Its drain did something."""
        if self._put_off.pop(name, None):
            self._away[name].over()

    def others_pass(self, kind: str, of: object, failed: Sequence[bytes], *, passed: bool) -> bool:
        """Whether these have failed alone: others of the batch passed, or others of the kind since it failed
        before. Where several fail and nothing passes it may be all that would.
        """
        now = self._clock()
        if passed:
            self._passed_at[kind] = now
        if len(self._tried) > _MOST_TRIED:
            self._tried.clear()
        before = [self._tried.get((kind, of, id_)) for id_ in failed]
        self._tried |= {(kind, of, id_): now for id_ in failed}
        alone = len(failed) == 1 and before[0] is not None and self._passed_at.get(kind, 0.0) > before[0]
        return passed or alone
