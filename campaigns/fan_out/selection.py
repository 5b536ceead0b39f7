"""Who is next: an audience is gone through once; those whom another blast does not reach, pass after pass.

Somebody may become unreached whom the last pass went past; so a pass ends where it began, and the next one
finds them. Once nobody can become unreached any more, one whole pass is the last.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from campaigns.addressees import followed_by, people_of
from campaigns.context import Desk
from gateway.store.offers import unreached
from gateway.store.offers.audiences import Member
from gateway.store.offers.blasts import Blast

REST: Final = 20  # a pass is followed by so many times its own time: it may walk past a million people


class Next(NamedTuple):
    """Members to draw. `last`: the shopper id behind which it goes on; `all_drawn`: nobody comes any more."""

    members: list[Member]
    last: int
    all_drawn: bool


class Drawing:
    """Remembers, for the blasts of this process, until when a pass rests; monotonic seconds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rests: dict[int, float] = {}

    def next(self, blast: Blast, now: int, most: int) -> Next:
        """Those after the last whom it has drawn. `now`: ms."""
        if blast.follows is not None:
            return self._unreached(blast, now, most)
        members = people_of(self._desk, blast).page(now, after=blast.last_shopper, most=most)
        last = members[-1].shopper_id if members else blast.last_shopper
        return Next(members, last, all_drawn=len(members) < most)

    def _unreached(self, blast: Blast, now: int, most: int) -> Next:
        begun = time.monotonic()
        if begun < self._rests.get(blast.id, 0.0):
            return Next([], blast.last_shopper, all_drawn=False)
        followed = followed_by(self._desk, blast)
        if followed is None:
            raise LookupError("a blast without the one that it follows")
        whole = blast.last_shopper == 0
        over = whole and unreached.is_over(self._desk.engine, blast, followed, self._desk.noted(now))
        members = people_of(self._desk, blast).page(now, after=blast.last_shopper, most=most)
        if len(members) == most:
            return Next(members, members[-1].shopper_id, all_drawn=False)
        ended = time.monotonic()
        self._rests[blast.id] = ended + REST * (ended - begun)
        return Next(members, 0, all_drawn=over)
