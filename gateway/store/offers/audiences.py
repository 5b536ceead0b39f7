"""Audiences in SQL: kept as data, counted and read page by page, never as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from gateway.domain.offers.audience import Definition, Sample
from gateway.domain.offers.sample import PRIME, Draw, below, draw_of
from gateway.store.offers.audience_query import Query, place
from gateway.store.sql import database, schema, statements
from gateway.store.vault.vault import Vault

_CHUNK = 500
MOST_WITHIN = 20  # audiences that one excludes, and those that they exclude


class Audience(NamedTuple):
    """An audience as it is kept. `sample_below`: see gateway.domain.offers.sample; None: nobody is drawn."""

    id: int
    firm_id: int
    name: str
    definition: Definition
    sample_below: int | None
    created_at: int


class Member(NamedTuple):
    """A shopper of an audience. `number`: sealed; `points`: at the firm; `prefix`: None: not noted yet."""

    shopper_id: int
    key: str
    number: bytes
    language: str | None
    prefix: str | None
    points: int


class NameTaken(Exception):
    """The firm has an audience of this name."""


class NotExcludable(Exception):
    """The firm has no such audience, or too many are excluded within one another."""


class Audiences:
    """The audiences of all firms. `vault`: for the key of each draw."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def add(self, firm_id: int, name: str, definition: Definition, now: int) -> Audience:
        """Keep a new one, its sample drawn. `now`: ms. Raises NameTaken, NotExcludable."""
        t = schema.audience
        with database.writing(self._engine) as connection:
            if _within(connection, firm_id, definition.exclude) > MOST_WITHIN:
                raise NotExcludable(f"more than {MOST_WITHIN} audiences within one another")
            if connection.scalar(select(t.c.id).where(t.c.firm_id == firm_id, t.c.name == name)):
                raise NameTaken(name)
            values = {
                "firm_id": firm_id,
                "name": name,
                "definition": definition.model_dump(mode="json", exclude_none=True),
                "created_at": now,
            }
            made = connection.execute(insert(t).values(values))
            audience = Audience(
                *(int(made.inserted_primary_key[0]), firm_id, name),  # type: ignore[index]
                *(definition, None, now),
            )
            return self._sampled(connection, audience, now)

    def find(self, firm_id: int, id_: int) -> Audience | None:
        """The firm's audience of this id."""
        with self._engine.connect() as connection:
            return _find(connection, firm_id, id_)

    def all(self, firm_id: int) -> list[Audience]:
        """The firm's audiences, the newest first."""
        t = schema.audience
        with self._engine.connect() as connection:
            rows = connection.execute(select(t).where(t.c.firm_id == firm_id).order_by(t.c.id.desc()))
            return [_audience(row) for row in rows]

    def upload(self, audience: Audience, shoppers: Sequence[int], now: int) -> set[int]:
        """Add shopper ids to the audience's list and draw its sample anew; those whom the firm knows."""
        known: set[int] = set()
        with database.writing(self._engine) as connection:
            for at in range(0, len(shoppers), _CHUNK):
                b = schema.balance
                wanted = shoppers[at : at + _CHUNK]
                found = connection.scalars(
                    select(b.c.shopper_id).where(b.c.firm_id == audience.firm_id, b.c.shopper_id.in_(wanted))
                ).all()
                known |= set(found)
                rows = [{"audience_id": audience.id, "shopper_id": id_} for id_ in found]
                statements.insert_missing(connection, schema.audience_member, rows)
            self._sampled(connection, audience, now)
        return known

    def clear(self, audience: Audience) -> None:
        """Empty its list."""
        t = schema.audience_member
        with database.writing(self._engine) as connection:
            connection.execute(delete(t).where(t.c.audience_id == audience.id))

    def count(self, audience: Audience, now: int) -> int:
        """How many shoppers it has. `now`: ms, for what is told in days."""
        with self._engine.connect() as connection:
            query = self._query(connection, audience, now)
            return int(connection.scalar(query.of(func.count())) or 0)

    def crowd(self, audience: Audience, now: int, draw: Draw) -> tuple[int, int]:
        """How many shoppers it has, and the sum of their places, which names this set of them."""
        places = func.sum(place(schema.balance.c.shopper_id, draw))
        with self._engine.connect() as connection:
            query = self._query(connection, audience, now)
            count, sum_ = connection.execute(query.of(func.count(), places)).one()
        return int(count), int(sum_ or 0)

    def page(self, audience: Audience, now: int, *, after: int, most: int) -> list[Member]:
        """The next of its shoppers behind the id `after`, in the order of their ids."""
        s, b = schema.shopper, schema.balance
        columns = (s.c.id, s.c.key, s.c.number, s.c.language, s.c.prefix, b.c.points)
        with self._engine.connect() as connection:
            query = self._query(connection, audience, now).of(*columns)
            rows = connection.execute(
                query.where(b.c.shopper_id > after).order_by(b.c.shopper_id).limit(most)
            )
            return [Member(*row) for row in rows]

    def some(self, audience: Audience, now: int, *, most: int, seed: str) -> list[Member]:
        """So many of them at random; the same for the same `seed`."""
        s, b = schema.shopper, schema.balance
        drawn = place(b.c.shopper_id, self._draw(f"audience-some/{audience.id}/{seed}"))
        columns = (s.c.id, s.c.key, s.c.number, s.c.language, s.c.prefix, b.c.points)
        with self._engine.connect() as connection:
            query = self._query(connection, audience, now).of(*columns)
            return [Member(*row) for row in connection.execute(query.order_by(drawn).limit(most))]

    def draw(self, audience_id: int) -> Draw:
        """The draw of an audience's sample."""
        return self._draw(f"audience/{audience_id}")

    def _draw(self, label: str) -> Draw:
        return draw_of(self._vault.derive(label))

    def _query(self, connection: Connection, audience: Audience, now: int) -> Query:
        def others(ids: Sequence[int]) -> list[Audience]:
            found = [_find(connection, audience.firm_id, id_) for id_ in ids]
            return [other for other in found if other is not None]

        return Query(audience, now, draw=self.draw, others=others)

    def _sampled(self, connection: Connection, audience: Audience, now: int) -> Audience:
        sample = audience.definition.sample
        if sample is None:
            return audience
        threshold = self._threshold(connection, audience, sample, now)
        t = schema.audience
        connection.execute(update(t).where(t.c.id == audience.id).values(sample_below=threshold))
        return audience._replace(sample_below=threshold)

    def _threshold(self, connection: Connection, audience: Audience, sample: Sample, now: int) -> int:
        if sample.share is not None:
            return below(round(sample.share * 1_000_000))
        query = self._query(connection, audience._replace(sample_below=None), now)
        drawn = place(schema.balance.c.shopper_id, self.draw(audience.id))
        last = connection.scalar(query.of(drawn).order_by(drawn).offset((sample.most or 1) - 1).limit(1))
        return PRIME if last is None else int(last) + 1


def _within(connection: Connection, firm_id: int, ids: Sequence[int]) -> int:
    """How many audiences are excluded by these. They are older than what excludes them, so that this ends."""
    count = 0
    for id_ in ids:
        found = _find(connection, firm_id, id_)
        if found is None:
            raise NotExcludable(f"there is no audience {id_}")
        count += 1 + _within(connection, firm_id, found.definition.exclude)
    return count


def _find(connection: Connection, firm_id: int, id_: int) -> Audience | None:
    t = schema.audience
    row = connection.execute(select(t).where(t.c.id == id_, t.c.firm_id == firm_id)).first()
    return None if row is None else _audience(row)


def _audience(row: Any) -> Audience:
    definition = Definition.model_validate(row.definition, strict=False)
    return Audience(row.id, row.firm_id, row.name, definition, row.sample_below, row.created_at)
