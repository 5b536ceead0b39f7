"""A person's two questions: why was I contacted, and what do you hold about me?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.store import consents, contacts, holdings, people
from gateway.store.consents import Entry
from gateway.store.contacts import Contact
from gateway.store.holdings import Holdings
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A marketing contact. `consent`: the entry that the gate went by, None where there was none."""

    contact: Contact
    consent: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Everything of a person. `consents`: oldest first."""

    holdings: Holdings
    consents: tuple[Entry, ...]
    reached: tuple[Reached, ...]


def held(engine: Engine, vault: Vault, number: str, firm_id: int | None = None) -> Held | None:
    """What is kept of whoever has this number (E.164 digits); of one firm, or of all. None: nothing.

    Raises SQLAlchemyError.
    """
    with engine.connect() as connection:
        person = people.find(connection, vault.index(number))
        if person is None:
            return None
        entries = consents.entries_of(connection, person.id, firm_id)
        made = contacts.of_person(connection, person.id, firm_id)
        return Held(
            holdings=holdings.of_person(connection, person.id, firm_id),
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
