"""Marketing contacts as SQL keeps them, each with what the gate allowed it on; by whoever made them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from gateway.domain.consent.word import Channel, Consent
from gateway.domain.policy.basis import Basis
from gateway.store.sql import schema, statements

_CHUNK = 500


class Made(NamedTuple):
    """A contact that was made, or may have been. `id`: the message's or the call's; `made_at`: ms."""

    id: str
    firm_id: int
    state: str
    made_at: int
    basis: Basis


class Contact(NamedTuple):
    """A contact as it is told. `said_at`: of the consent that stood, 0 for none; times in ms since 1970."""

    id: str
    firm_id: int
    blast: str
    channel: Channel
    state: str
    consent: Consent
    said_at: int
    pack: str
    decided_at: int
    made_at: int


def note(connection: Connection, made: Sequence[Made]) -> None:
    """Append contacts; one that stands stays as it is. Of whoever was erased meanwhile nothing is kept."""
    ids = _ids(connection, [one.basis.shopper for one in made])
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "firm_id": one.firm_id,
            "shopper_id": ids[one.basis.shopper],
            "blast": one.basis.blast,
            "channel": one.basis.channel,
            "state": one.state,
            "consent": one.basis.consent,
            "said_at": one.basis.said_at,
            "pack": one.basis.pack,
            "decided_at": one.basis.decided_at,
            "made_at": one.made_at,
        }
        for one in made
        if one.basis.shopper in ids
    ]
    statements.insert_missing(connection, schema.contact, rows)


def of_person(connection: Connection, shopper_id: int, firm_id: int | None = None) -> list[Contact]:
    """A person's contacts, oldest first; of one firm, or of all."""
    t = schema.contact
    query = select(*(t.c[name] for name in Contact._fields)).where(t.c.shopper_id == shopper_id)
    if firm_id is not None:
        query = query.where(t.c.firm_id == firm_id)
    rows = connection.execute(query.order_by(t.c.made_at, t.c.id))
    return [
        Contact(*row)._replace(channel=Channel(row.channel), consent=Consent(row.consent)) for row in rows
    ]


def decided_since(connection: Connection, since: int) -> Iterator[Sequence[Any]]:
    """What the gate allowed from `since` on, ms, for all firms: shopper's key, blast, channel, decided_at.

    In batches, so that memory does not grow with their number; without whoever was erased.
    """
    t, s = schema.contact, schema.shopper
    query = (
        select(s.c.key, t.c.blast, t.c.channel, t.c.decided_at)
        .join(s, s.c.id == t.c.shopper_id)
        .where(t.c.decided_at >= since, s.c.erased_at.is_(None))
    )
    yield from connection.execution_options(yield_per=_CHUNK).execute(query).partitions()


def _ids(connection: Connection, shoppers: Sequence[str]) -> dict[str, int]:
    s = schema.shopper
    keys = sorted(set(shoppers))
    found: dict[str, int] = {}
    for at in range(0, len(keys), _CHUNK):
        query = select(s.c.key, s.c.id).where(s.c.key.in_(keys[at : at + _CHUNK]))
        found |= {row.key: row.id for row in connection.execute(query)}
    return found
