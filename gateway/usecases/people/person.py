"""A person's two questions: why was I contacted, and what do you hold about me?

Whoever asks them names one person, so each question stands in the access log by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from gateway.store.consent import consents, contact_log
from gateway.store.consent.consents import Entry
from gateway.store.consent.contact_log import Contact
from gateway.store.people import data_export as holdings
from gateway.store.people import dealings, shoppers
from gateway.store.people.data_export import Holdings
from gateway.store.sql import database
from gateway.store.vault import access_report
from gateway.store.vault.vault import Vault

WHY: Final = "why contacted"
DATA: Final = "data held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A marketing contact. `consent`: the entry that the gate went by, None where there was none."""

    contact: Contact
    consent: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Everything of a person. `consents`: oldest first. `since`: they deal with the firm that asks, ms."""

    holdings: Holdings
    since: int | None
    consents: tuple[Entry, ...]
    reached: tuple[Reached, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Who asks, and which of the two; both go into the access log. `firm_id`: of one firm, None: of all."""

    who: str
    purpose: str
    firm_id: int | None = None


def held(number: str, inquiry: Inquiry, engine: Engine, vault: Vault) -> Held | None:
    """What is kept of whoever has this number (E.164 digits). None: nothing; to a firm: or a stranger to it.

    That somebody asked is on disk before anything is told. Raises SQLAlchemyError.
    """
    firm_id = inquiry.firm_id
    with database.writing(engine) as connection:
        person = shoppers.find(connection, vault.index(number))
        access_report.note(connection, inquiry.who, inquiry.purpose, person.id if person else None)
    if person is None:
        return None
    with engine.connect() as connection:
        since = None if firm_id is None else dealings.since(connection, person.id, firm_id)
        if firm_id is not None and since is None:
            return None
        entries = consents.entries_of(connection, person.id, firm_id)
        made = contact_log.of_person(connection, person.id, firm_id)
        return Held(
            holdings=holdings.of_person(connection, person.id, firm_id),
            since=since,
            consents=tuple(entries),
            reached=tuple(Reached(contact=one, consent=_stood(one, entries)) for one in made),
        )


def _stood(contact: Contact, entries: list[Entry]) -> Entry | None:
    """The entry with the word that the gate read. A text's may be settled later than it was read."""
    fits = [
        entry
        for entry in entries
        if (entry.firm_id, entry.channel, entry.said_at, entry.state)
        == (contact.firm_id, contact.channel, contact.said_at, contact.consent)
    ]
    return fits[-1] if fits else None
