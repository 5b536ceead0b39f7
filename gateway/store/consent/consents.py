"""Consent in SQL: entries that are never changed, whom a firm has asked, and how a person stands by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from gateway.domain.consent.word import NOTHING, Channel, Consent, Said, later
from gateway.domain.written.outside import fitted
from gateway.store.sql import schema, statements

MOST_WORDING: Final = 500
MOST_PROOF: Final = 200
MOST_ACTOR: Final = 64
_CHUNK = 500


class Ask(NamedTuple):
    """A question for consent. `message_id`: the answer that asked; `asked_at`: ms since 1970."""

    message_id: str
    wording: str
    asked_at: int


class Entry(NamedTuple):
    """One change of a person's word, with its proof. `said_at`: ms; `source`: what it came with."""

    firm_id: int
    channel: Channel
    state: Consent
    how: str
    source: str
    wording: str | None
    proof: str | None
    actor: str
    said_at: int


def row(entry: Entry, shopper_id: int) -> dict[str, Any]:
    """An entry as `consent_entry` keeps it: a no that is in force already must not fail for its wording."""
    return {
        "firm_id": entry.firm_id,
        "shopper_id": shopper_id,
        "channel": entry.channel,
        "state": entry.state,
        "how": entry.how,
        "message_id": entry.source,
        "wording": entry.wording and fitted(entry.wording, MOST_WORDING),
        "proof": entry.proof and fitted(entry.proof, MOST_PROOF),
        "actor": fitted(entry.actor, MOST_ACTOR),
        "said_at": entry.said_at,
    }


def record(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append entries; one with the source, firm and channel of another is that one."""
    statements.insert_missing(connection, schema.consent_entry, rows)


def said_at(connection: Connection, firm_id: int, source: str) -> int:
    """When what came with `source` was said to a firm, ms since 1970. Raises NoResultFound."""
    t = schema.consent_entry
    query = select(t.c.said_at).where(t.c.message_id == source, t.c.firm_id == firm_id).limit(1)
    return int(connection.execute(query).scalar_one())


def known_to(connection: Connection, firm_id: int, shoppers: Iterable[int]) -> set[int]:
    """Those of the shoppers who were asked by a firm, or have said anything to it."""
    found: set[int] = set()
    for table in (schema.consent_entry, schema.consent_ask):
        found |= {
            shopper
            for chunk in _chunks(shoppers)
            for shopper in connection.scalars(
                select(table.c.shopper_id).where(table.c.firm_id == firm_id, table.c.shopper_id.in_(chunk))
            )
        }
    return found


def asked(connection: Connection, firm_id: int, shoppers: Iterable[int]) -> dict[int, Ask]:
    """What these shoppers were asked by a firm, by shopper."""
    t = schema.consent_ask
    found: dict[int, Ask] = {}
    for chunk in _chunks(shoppers):
        query = select(t.c.shopper_id, t.c.message_id, t.c.wording, t.c.asked_at)
        for row_ in connection.execute(query.where(t.c.firm_id == firm_id, t.c.shopper_id.in_(chunk))):
            found[row_.shopper_id] = Ask(row_.message_id, row_.wording, row_.asked_at)
    return found


def ask(connection: Connection, firm_id: int, asks: Mapping[int, Ask]) -> None:
    """Note whom a firm asks, by shopper; who was asked before stays as it was."""
    rows = [{"firm_id": firm_id, "shopper_id": shopper, **one._asdict()} for shopper, one in asks.items()]
    statements.insert_missing(connection, schema.consent_ask, rows)


def entries_of(connection: Connection, shopper_id: int, firm_id: int | None = None) -> list[Entry]:
    """A person's entries, oldest first; of one firm, or of all."""
    t = schema.consent_entry
    query = select(t).where(t.c.shopper_id == shopper_id).order_by(t.c.said_at, t.c.id)
    if firm_id is not None:
        query = query.where(t.c.firm_id == firm_id)
    return [_entry(found) for found in connection.execute(query)]


def standing(entries: Iterable[Entry]) -> dict[tuple[int, Channel], Said]:
    """How a person stands by these entries: (firm, channel) -> the word that counts."""
    stands: dict[tuple[int, Channel], Said] = {}
    for entry in entries:
        key = entry.firm_id, entry.channel
        stands[key] = later(stands.get(key, NOTHING), Said(entry.state, entry.said_at))
    return stands


def _entry(found: Any) -> Entry:
    return Entry(
        firm_id=found.firm_id,
        channel=Channel(found.channel),
        state=Consent(found.state),
        how=found.how,
        source=found.message_id,
        wording=found.wording,
        proof=found.proof,
        actor=found.actor,
        said_at=found.said_at,
    )


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    listed = sorted(set(ids))
    return (listed[at : at + _CHUNK] for at in range(0, len(listed), _CHUNK))
