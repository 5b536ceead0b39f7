"""Erasure in SQL: the person's row stays, and is nobody's; the entries that lean on it stay whole.

What makes the person a person (index, sealed number, language, alias, sealed answers, wrong codes) goes. An
erasure that has begun is noted with the index until all else is done, to be completed after a crash.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from gateway.domain.consent.word import NOTHING, Channel, Consent, Said, later, read_word, word_of
from gateway.store.consent import consents
from gateway.store.integrity import watermark
from gateway.store.people import erased_keys as nobody
from gateway.store.sql import schema

ERASED = "erased"  # the error of an answer that did not leave, or of which it is not known


class Begun(NamedTuple):
    """An erasure that is not complete. `nobody`: the shopper key that stands in the place of the index."""

    id: int
    shopper_id: int
    nobody: str


class Person(NamedTuple):
    """What SQL holds of a shopper."""

    id: int
    number: bytes
    answers: tuple[bytes, ...]  # sealed


def find(connection: Connection, shopper: str, firms: Sequence[int]) -> Person | None:
    """The shopper with this index."""
    s, m = schema.shopper, schema.message
    row = connection.execute(select(s.c.id, s.c.number).where(s.c.key == shopper)).first()
    if row is None:
        return None
    query = select(m.c.sealed).where(*_queued(row.id, firms), m.c.sealed.is_not(None))
    return Person(row.id, row.number, tuple(connection.scalars(query)))


def shred(connection: Connection, shopper: str, firms: Sequence[int], *, laid_aside: bool) -> int | None:
    """Make the person's row nobody's; its id, or None where there is none.

    `laid_aside`: there are dead letters; whoever is known by these alone gets a row that is nobody's, for
    them to be settled to. Nobody settles in the meantime: a text is the old row's, or a new person's.
    """
    for firm in sorted(firms):
        watermark.take_turn(connection, firm)
    now = int(time.time() * 1000)
    s = schema.shopper
    id_ = connection.scalar(select(s.c.id).where(s.c.key == shopper))
    if id_ is None and not laid_aside:
        return None
    shredded = {
        "key": nobody.new_key(),
        "number": b"",
        "language": None,
        "language_at": None,
        "prefix": None,
        "erased_at": now,
    }
    if id_ is None:
        made = connection.execute(insert(s).values(created_at=now, **shredded))
        id_ = int(made.inserted_primary_key[0])  # type: ignore[index]
    else:
        connection.execute(update(s).where(s.c.id == id_).values(shredded))
    # Whether an answer has left is not known here; `not_begun` corrects that where it is.
    emptied = {"sealed": None, "state": "unknown", "error": ERASED, "ended_at": now}
    connection.execute(update(schema.message).where(*_queued(id_, firms)).values(emptied))
    connection.execute(delete(schema.alias).where(schema.alias.c.shopper_id == id_))
    connection.execute(delete(schema.audience_member).where(schema.audience_member.c.shopper_id == id_))
    # What was agreed to stays with the entry; what proves it may name the person.
    entries = schema.consent_entry
    connection.execute(update(entries).where(entries.c.shopper_id == id_).values(proof=None))
    connection.execute(delete(schema.wrong_code).where(schema.wrong_code.c.shopper_key == shopper))
    connection.execute(insert(schema.erasure).values(shopper_id=id_, key=shopper, begun_at=now))
    return int(id_)


def suppress(
    connection: Connection, shopper: str, shopper_id: int | None, words: Iterable[tuple[int, str]]
) -> Mapping[int, str]:
    """Keep every refusal that stands, by channel, and nothing else; firm -> the word that says it.

    `words`: what Redis and wishes say, by firm. The latest word counts, be it theirs, SQL's or of an earlier
    erasure.
    """
    t = schema.suppression
    kept = connection.execute(select(t.c.firm_id, t.c.word).where(t.c.shopper_key == shopper)).all()
    last: dict[tuple[int, Channel], Said] = {}
    for firm, word in (*words, *kept):
        for channel, said in read_word(word).items():
            last[firm, channel] = later(last.get((firm, channel), NOTHING), said)
    if shopper_id is not None:
        for key, said in consents.standing(consents.entries_of(connection, shopper_id)).items():
            last[key] = later(last.get(key, NOTHING), said)
    stops = {firm: word for firm in {firm for firm, _ in last} if (word := _refusals(firm, last))}
    connection.execute(delete(t).where(t.c.shopper_key == shopper))
    if stops:
        rows = [{"firm_id": firm, "shopper_key": shopper, "word": word} for firm, word in stops.items()]
        connection.execute(insert(t), rows)
    return stops


def _refusals(firm: int, last: Mapping[tuple[int, Channel], Said]) -> str:
    """A word with nothing but what was refused; what a STOP took with it is forgotten."""
    said = {channel: last.get((firm, channel), NOTHING) for channel in Channel}
    kept = {c: one._replace(took=False) for c, one in said.items() if one.consent is Consent.WITHDRAWN}
    return word_of(kept)


def suppressed(connection: Connection, firm: int) -> dict[str, str]:
    """The refusals to a firm that were kept of erased persons: words by index."""
    t = schema.suppression
    rows = connection.execute(select(t.c.shopper_key, t.c.word).where(t.c.firm_id == firm))
    return {row.shopper_key: row.word for row in rows}


def refused_before(connection: Connection, firm: int, shoppers: Sequence[str]) -> set[str]:
    """Those of the indexes of which a refusal to the firm was kept."""
    t = schema.suppression
    query = select(t.c.shopper_key).where(t.c.firm_id == firm, t.c.shopper_key.in_(shoppers))
    return set(connection.scalars(query))


def unfinished(connection: Connection, shopper: str | None = None) -> list[Begun]:
    """Erasures that have begun, of one index or of all."""
    e, s = schema.erasure, schema.shopper
    query = select(e.c.id, e.c.shopper_id, s.c.key).join(s, s.c.id == e.c.shopper_id)
    query = query.where(e.c.key.is_not(None) if shopper is None else e.c.key == shopper)
    return [Begun(*row) for row in connection.execute(query.order_by(e.c.id))]


def answers_of(connection: Connection, shopper_id: int) -> frozenset[str]:
    """The ids of the answers that this erasure has emptied."""
    m = schema.message
    query = select(m.c.id).where(m.c.shopper_id == shopper_id, m.c.error == ERASED)
    return frozenset(connection.scalars(query))


def not_begun(connection: Connection, ids: Iterable[str]) -> None:
    """These answers surely did not leave."""
    m = schema.message
    for id_ in ids:
        connection.execute(update(m).where(m.c.id == id_, m.c.error == ERASED).values(state="failed"))


def end(connection: Connection, begun: Begun) -> None:
    """Nothing is left to be done: the index goes."""
    e = schema.erasure
    now = int(time.time() * 1000)
    connection.execute(update(e).where(e.c.id == begun.id).values(key=None, ended_at=now))


def _queued(shopper_id: int, firms: Sequence[int]) -> list[Any]:
    m = schema.message
    return [m.c.firm_id.in_(firms), schema.queued, m.c.shopper_id == shopper_id]
