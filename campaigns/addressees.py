"""Whom a blast is for: an audience, or those whom the blast that it follows has not reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from campaigns.context import Desk
from gateway.store.offers import blasts, unreached
from gateway.store.offers.audiences import Audience, Member
from gateway.store.offers.blasts import Blast


class People(Protocol):
    """They come in the order of their ids. `now`: ms since 1970."""

    def count(self, now: int) -> int:
        """How many there are now."""

    def page(self, now: int, *, after: int, most: int) -> list[Member]:
        """The next behind a shopper id."""


def people_of(desk: Desk, blast: Blast) -> People:
    """Those of a blast."""
    if blast.follows is not None:
        followed = followed_by(desk, blast)
        if followed is None:
            raise LookupError("a blast without the one that it follows")
        return _Unreached(desk, blast, followed)
    audience = desk.audiences.find(blast.firm_id, blast.audience_id)
    if audience is None:
        raise LookupError("a blast without its audience")
    return _Audience(desk, audience)


def followed_by(desk: Desk, blast: Blast) -> Blast | None:
    """The blast that it follows, as it stands."""
    return None if blast.follows is None else blasts.find(desk.engine, blast.follows)


@dataclass(frozen=True, slots=True)
class _Audience:
    desk: Desk
    audience: Audience

    def count(self, now: int) -> int:
        return self.desk.audiences.count(self.audience, now)

    def page(self, now: int, *, after: int, most: int) -> list[Member]:
        return self.desk.audiences.page(self.audience, now, after=after, most=most)


@dataclass(frozen=True, slots=True)
class _Unreached:
    desk: Desk
    blast: Blast
    followed: Blast

    def count(self, now: int) -> int:
        return unreached.count(self.desk.engine, self.blast, self.followed, self.desk.noted(now))

    def page(self, now: int, *, after: int, most: int) -> list[Member]:
        noted = self.desk.noted(now)
        return unreached.page(self.desk.engine, self.blast, self.followed, noted, after=after, most=most)
