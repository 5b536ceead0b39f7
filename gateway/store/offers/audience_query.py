"""What an audience's definition is in SQL: conditions on the shoppers of its firm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, or_, select

from gateway.domain.offers.audience import Definition
from gateway.domain.offers.sample import PRIME, Draw
from gateway.store.sql import schema

DAY_MS = 86_400_000
Condition = ColumnElement[bool]


class Defined(Protocol):
    """An audience, as far as its query needs it."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def firm_id(self) -> int:
        """Whose it is."""

    @property
    def definition(self) -> Definition:
        """Who is in it."""

    @property
    def sample_below(self) -> int | None:
        """Below which place they are drawn; None: all."""


class Query:
    """The shoppers of an audience. `now`: ms. `draw`: by audience id; `others`: audiences by id."""

    def __init__(
        self,
        audience: Defined,
        now: int,
        *,
        draw: Callable[[int], Draw],
        others: Callable[[Sequence[int]], Sequence[Defined]],
    ) -> None:
        self._audience = audience
        self._now = now
        self._draw = draw
        self._others = others

    def of(self, *columns: Any) -> Select[Any]:
        """A select of columns of `shopper` and `balance`, one row a shopper."""
        s, b = schema.shopper, schema.balance
        joined = select(*columns).select_from(b).join(s, s.c.id == b.c.shopper_id)
        somebody = s.c.erased_at.is_(None)
        return joined.where(
            b.c.firm_id == self._audience.firm_id, somebody, *self._conditions(self._audience)
        )

    def _conditions(self, audience: Defined) -> Iterator[Condition]:
        """None of them is ever NULL: they are turned round for an exclusion."""
        wanted, shopper = audience.definition, schema.shopper.c
        points = schema.balance.c.points
        if wanted.activated is not None:
            since = self._since(wanted.activated.within_days)
            yield self._activated(audience.firm_id, since, campaign=wanted.activated.campaign)
        if wanted.seen is not None and wanted.seen.within_days is not None:
            yield self._activated(audience.firm_id, self._since(wanted.seen.within_days))
        if wanted.seen is not None and wanted.seen.not_within_days is not None:
            yield not_(self._activated(audience.firm_id, self._since(wanted.seen.not_within_days)))
        if wanted.points is not None and wanted.points.least is not None:
            yield points >= wanted.points.least
        if wanted.points is not None and wanted.points.most is not None:
            yield points <= wanted.points.most
        if wanted.regions:
            noted = func.coalesce(shopper.prefix, "")
            yield or_(*(func.substr(noted, 1, len(region)) == region for region in wanted.regions))
        if wanted.languages:
            yield func.coalesce(shopper.language, "").in_(wanted.languages)
        if wanted.uploaded:
            yield _listed(audience.id)
        if audience.sample_below is not None:
            yield place(schema.balance.c.shopper_id, self._draw(audience.id)) < audience.sample_below
        for other in self._others(wanted.exclude):
            yield not_(and_(literal(value=True), *self._conditions(other)))

    def _since(self, days: int | None) -> int:
        return 0 if days is None else self._now - days * DAY_MS

    @staticmethod
    def _activated(firm_id: int, since: int, *, campaign: int | None = None) -> Condition:
        a = schema.activation
        found = exists().where(
            a.c.shopper_id == schema.balance.c.shopper_id, a.c.firm_id == firm_id, a.c.claimed_at >= since
        )
        return found if campaign is None else found.where(a.c.campaign_id == campaign)


def place(shopper_id: ColumnElement[int], draw: Draw) -> ColumnElement[int]:
    """As Draw.place, computed by the database."""
    return (shopper_id * draw.times + draw.plus) % PRIME


def _listed(audience_id: int) -> Condition:
    m = schema.audience_member
    return exists().where(m.c.audience_id == audience_id, m.c.shopper_id == schema.balance.c.shopper_id)
