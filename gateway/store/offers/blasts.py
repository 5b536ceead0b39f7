"""Blasts in SQL: what each is, its state, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from gateway.domain.offers.blast import ALIVE, EDITABLE, ENDED, State, Word, after
from gateway.domain.offers.offer import Template
from gateway.store.sql import database, schema


class Blast(NamedTuple):
    """A blast as it stands: the columns of its table, times in ms since 1970.

    `holdout`, `error_share`: parts in a million. `why`: it is paused, where nobody has asked for that.
    `call`: the fields of its CallPlan; None: it writes. `follows`: the blast whose unreached it takes.
    """

    id: int
    firm_id: int
    name: str
    channel: str
    audience_id: int
    campaign_id: int
    short_number: str
    texts: Mapping[str, str]
    fallback: str
    holdout: int
    spread_s: int
    error_share: int
    starts_at: int | None
    expires_at: int
    state: State
    why: str | None
    revision: int
    created_at: int
    launched_at: int | None
    ended_at: int | None
    expected: int
    drawn: int
    texted: int
    last_shopper: int
    all_drawn: int
    batch: int
    paced_at: int | None
    paced_from: int
    failed_before: int
    last_activation: int
    call: Mapping[str, Any] | None = None
    follows: int | None = None
    follow_after_s: int | None = None

    @property
    def template(self) -> Template:
        """Its words."""
        return Template(words=self.texts, fallback=self.fallback)


_FRESH = {
    "state": State.DRAFT.value,
    "revision": 1,
    "expected": 0,
    "drawn": 0,
    "texted": 0,
    "last_shopper": 0,
    "all_drawn": 0,
    "batch": 0,
    "paced_from": 0,
    "failed_before": 0,
    "last_activation": 0,
}


class NotNow(Exception):
    """The blast is in a state in which this cannot be done. `begun`: it was launched, and not for later."""

    def __init__(self, state: State, *, begun: bool = False) -> None:
        super().__init__(state.value)
        self.state = state
        self.begun = begun


class Changed(Exception):
    """The blast is not the one any more that was looked at; `revision`: what it is at now."""

    def __init__(self, revision: int) -> None:
        super().__init__(str(revision))
        self.revision = revision


class Followed(Exception):
    """Other blasts follow it; `ids`: which ones."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(", ".join(map(str, ids)))
        self.ids = tuple(ids)


def add(engine: Engine, values: Mapping[str, Any]) -> Blast:
    """A new draft of these columns. Raises LookupError where the blast that it follows is gone."""
    with database.writing(engine) as connection:
        if values.get("follows") is not None:
            _locked(connection, values["follows"])
        made = connection.execute(insert(schema.blast).values({**_FRESH, **values}))
        id_ = int(made.inserted_primary_key[0])  # type: ignore[index]
        return _blast(connection.execute(_query(id_)).one())


def find(engine: Engine, id_: int, *, firm: int | None = None) -> Blast | None:
    """The blast of this id; None where there is none, or not of `firm`."""
    with engine.connect() as connection:
        row = connection.execute(_query(id_).where(_THERE)).first()
    return None if row is None or firm not in (None, row.firm_id) else _blast(row)


def of_firm(engine: Engine, firm: int) -> list[Blast]:
    """The blasts of a firm, the newest first."""
    t = schema.blast
    with engine.connect() as connection:
        rows = connection.execute(
            select(*_COLUMNS).where(t.c.firm_id == firm, _THERE).order_by(t.c.id.desc())
        ).all()
    return [_blast(row) for row in rows]


def alive(engine: Engine) -> list[Blast]:
    """Those of all firms that are scheduled, running or paused."""
    t = schema.blast
    with engine.connect() as connection:
        states = [state.value for state in ALIVE]
        rows = connection.execute(select(*_COLUMNS).where(t.c.state.in_(states)).order_by(t.c.id)).all()
    return [_blast(row) for row in rows]


def turn(engine: Engine, id_: int, word: Word, now: int, *, seen: int | None = None, **changes: Any) -> Blast:
    """Bring a blast into the state that `word` leads to; as it stands then. `now`: ms.

    `seen`: the revision that was looked at, where it must still be that one. `changes`: further columns.
    Raises NotNow, Changed, LookupError.
    """
    with database.writing(engine) as connection:
        return turned(connection, id_, word, now, seen=seen, **changes)


def turned(
    connection: Connection, id_: int, word: Word, now: int, *, seen: int | None = None, **changes: Any
) -> Blast:
    """As `turn`, within a transaction."""
    before = _locked(connection, id_)
    becomes = after(before.state, word)
    if becomes is None:
        raise NotNow(before.state, begun=before.launched_at is not None)
    if seen not in (None, before.revision):
        raise Changed(before.revision)
    values: dict[str, Any] = {"state": becomes.value, "revision": before.revision + 1, "why": None}
    if becomes is State.RUNNING:
        values |= {"paced_at": now, "paced_from": before.drawn}
    if becomes in ENDED:
        values["ended_at"] = now
    values |= changes
    connection.execute(update(schema.blast).where(schema.blast.c.id == id_).values(values))
    return _blast(connection.execute(_query(id_)).one())


def rewrite(engine: Engine, id_: int, values: Mapping[str, Any], *, seen: int) -> Blast:
    """Other columns for a blast that has not begun; those that follow it share its audience.

    `seen`: the revision that was looked at. Raises NotNow, Changed, LookupError.
    """
    t = schema.blast
    with database.writing(engine) as connection:
        before = _locked(connection, id_)
        if before.state not in EDITABLE or before.launched_at is not None:
            raise NotNow(before.state, begun=before.launched_at is not None)
        if before.revision != seen:
            raise Changed(before.revision)
        connection.execute(update(t).where(t.c.id == id_).values(**values, revision=seen + 1))
        if "audience_id" in values:
            followers = update(t).where(t.c.follows == id_)
            connection.execute(followers.values(audience_id=values["audience_id"]))
        return _blast(connection.execute(_query(id_)).one())


def remove(engine: Engine, id_: int, now: int) -> None:
    """A blast that never began is nobody's any more. `now`: ms. Raises NotNow, Followed, LookupError."""
    t = schema.blast
    with database.writing(engine) as connection:
        before = _locked(connection, id_)
        if before.launched_at is not None:
            raise NotNow(before.state, begun=True)
        followers = connection.scalars(
            select(t.c.id).where(t.c.follows == id_, _THERE).order_by(t.c.id)
        ).all()
        if followers:
            raise Followed(followers)
        turned(connection, id_, Word.DELETE, now, name="", texts={}, call=None)


def _locked(connection: Connection, id_: int) -> Blast:
    row = connection.execute(_query(id_).with_for_update()).first()
    if row is None or row.state == State.DELETED.value:
        raise LookupError("no such blast")
    return _blast(row)


_COLUMNS: Sequence[Any] = [schema.blast.c[name] for name in Blast._fields]


_THERE = schema.blast.c.state != State.DELETED.value


def _query(id_: int) -> Any:
    return select(*_COLUMNS).where(schema.blast.c.id == id_)


def _blast(row: Any) -> Blast:
    return Blast(*row)._replace(state=State(row.state))
