"""Recordings in SQL: what firms let be said in their calls, as Asterisk plays it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select

from gateway.domain.offers.blast import ENDED
from gateway.domain.offers.offer_call import CallPlan
from gateway.store.sql import database, schema

MOST_OF_FIRM = 500


class New(NamedTuple):
    """What is to be kept. `source`: uploaded or spoken; `words`: what was spoken, else what is said, if told.

    `wav`: a WAV file of 8 kHz, mono, 16 bits, `milliseconds` long.
    """

    firm_id: int
    name: str
    language: str
    source: str
    words: str | None
    wav: bytes
    milliseconds: int


class Recording(NamedTuple):
    """A recording without its sound. `digest`: SHA-256 of the sound, in hexadecimal; `created_at`: ms."""

    id: int
    firm_id: int
    name: str
    language: str
    source: str
    words: str | None
    digest: str
    milliseconds: int
    created_at: int


class NameTaken(Exception):
    """The firm has a recording of this name in this language."""


class TooMany(Exception):
    """The firm has MOST_OF_FIRM recordings."""


class InUse(Exception):
    """A blast that has not ended says it; the message names the blast."""


def add(engine: Engine, new: New, now: int) -> Recording:
    """Keep one. `now`: ms. Raises NameTaken, TooMany."""
    t = schema.recording
    with database.writing(engine) as connection:
        own = connection.execute(select(t.c.name, t.c.language).where(t.c.firm_id == new.firm_id)).all()
        if (new.name, new.language) in {(row.name, row.language) for row in own}:
            raise NameTaken(new.name)
        if len(own) >= MOST_OF_FIRM:
            raise TooMany
        values = {
            "firm_id": new.firm_id,
            "name": new.name,
            "language": new.language,
            "source": new.source,
            "words": new.words,
            "digest": hashlib.sha256(new.wav).hexdigest(),
            "milliseconds": new.milliseconds,
            "sound": new.wav,
            "created_at": now,
        }
        made = connection.execute(insert(t).values(values))
        id_ = int(made.inserted_primary_key[0])  # type: ignore[index]
        return Recording(*connection.execute(_query().where(t.c.id == id_)).one())


def find(engine: Engine, firm_id: int, id_: int) -> Recording | None:
    """The firm's recording of this id."""
    t = schema.recording
    with engine.connect() as connection:
        row = connection.execute(_query().where(t.c.id == id_, t.c.firm_id == firm_id)).first()
    return None if row is None else Recording(*row)


def of_firm(engine: Engine, firm_id: int) -> list[Recording]:
    """The firm's recordings, the newest first."""
    t = schema.recording
    with engine.connect() as connection:
        rows = connection.execute(_query().where(t.c.firm_id == firm_id).order_by(t.c.id.desc())).all()
    return [Recording(*row) for row in rows]


def digests(engine: Engine, ids: Iterable[int]) -> Mapping[int, str]:
    """The digests of those that there are, by id."""
    t = schema.recording
    with engine.connect() as connection:
        rows = connection.execute(select(t.c.id, t.c.digest).where(t.c.id.in_(list(ids)))).all()
    return {row.id: row.digest for row in rows}


def sound(engine: Engine, id_: int) -> bytes | None:
    """The WAV file of a recording."""
    t = schema.recording
    with engine.connect() as connection:
        found: bytes | None = connection.scalar(select(t.c.sound).where(t.c.id == id_))
    return found


def remove(engine: Engine, firm_id: int, id_: int) -> bool:
    """Forget the firm's recording; False where there is none. Raises InUse."""
    t = schema.recording
    with database.writing(engine) as connection:
        if blast := _said_by(connection, firm_id, id_):
            raise InUse(f"blast {blast} says it")
        gone = connection.execute(delete(t).where(t.c.id == id_, t.c.firm_id == firm_id))
    return bool(gone.rowcount)


def _said_by(connection: Connection, firm_id: int, id_: int) -> int | None:
    """A blast of the firm, not ended, that says this recording."""
    b = schema.blast
    ended = [state.value for state in ENDED]
    rows = connection.execute(
        select(b.c.id, b.c.call).where(b.c.firm_id == firm_id, b.c.call.is_not(None), b.c.state.not_in(ended))
    )
    for row in rows:
        plan = CallPlan.model_validate(row.call) if row.call else None
        if plan and any(id_ in (spoken.intro, spoken.offer) for spoken in plan.spoken.values()):
            return int(row.id)
    return None


def _query() -> Any:
    return select(*(schema.recording.c[name] for name in Recording._fields))
