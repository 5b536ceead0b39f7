"""Changing a person's consent by a page, the API, an operator or a key in a call: in force at once.

A no is in force in Redis before it is written to SQL, a yes only afterwards: whatever fails in between,
nobody is reached on a yes that has no record. What came with a text is settled with it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from gateway.domain.consent import Channel, Consent, Said
from gateway.domain.message_id import RANDOM_OCTETS, message_id
from gateway.store import consents, people, sql
from gateway.store.consent_words import ConsentWords, Put
from gateway.store.consents import Entry
from gateway.store.vault import Vault


class BeforeStop(Exception):
    """A yes that was given before the no that stands; it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a person, or somebody for them, has said. `number`: E.164 digits.

    `how`: web, api, call or operator. `source`: the call's or the request's id, "" for one of our own.
    `wording`: what the person was shown; `proof`: what else shows it. `said_at`: ms since 1970, 0: now.
    """

    firm_id: int
    number: str = field(repr=False)
    channels: tuple[Channel, ...]
    consent: Consent
    how: str
    actor: str
    source: str = ""
    wording: str | None = None
    proof: str | None = None
    said_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDesk:
    """Where consent is changed and looked up."""

    engine: Engine
    vault: Vault
    words: ConsentWords

    async def change(self, change: Change) -> Mapping[Channel, Said]:
        """Make a change; how the person stands to the firm then. May be repeated.

        Raises BeforeStop, RedisError, SQLAlchemyError.
        """
        shopper = self.vault.index(change.number)
        at = change.said_at or await self.words.now()
        put = Put(shopper, change.channels, change.consent, at)
        if change.consent is Consent.WITHDRAWN:
            (stands,) = await self.words.put(change.firm_id, [put])
            await asyncio.to_thread(self._record, change, shopper, at)
            return stands
        before = await self.words.read(change.firm_id, shopper)
        refused = [before[c].at for c in change.channels if before[c].consent is Consent.WITHDRAWN]
        if not change.said_at:  # now is after whatever stands, be it of the same millisecond
            at = max(at, *(said_at + 1 for said_at in refused)) if refused else at
        elif refused and max(refused) >= at:
            raise BeforeStop
        said_at = await asyncio.to_thread(self._record, change, shopper, at)
        (stands,) = await self.words.put(change.firm_id, [put._replace(at=said_at)])
        return stands

    async def read(self, firm_id: int, number: str) -> Mapping[Channel, Said]:
        """How a person (E.164 digits) stands to a firm. Raises RedisError."""
        return await self.words.read(firm_id, self.vault.index(number))

    def _record(self, change: Change, shopper: str, at: int) -> int:
        """Append the entries; when it was said: a source that is known already has its time."""
        source = change.source or message_id(int(time.time() * 1000), os.urandom(RANDOM_OCTETS))
        with sql.writing(self.engine) as connection:
            person = people.known_or_new(connection, self.vault, key=shopper, number=change.number, at=at)
            rows = [
                consents.row(
                    Entry(
                        firm_id=change.firm_id,
                        channel=channel,
                        state=change.consent,
                        how=change.how,
                        source=source,
                        wording=change.wording,
                        proof=change.proof,
                        actor=change.actor,
                        said_at=at,
                    ),
                    person.id,
                )
                for channel in change.channels
            ]
            consents.record(connection, rows)
            people.join(connection, change.firm_id, [person.id])
            return consents.said_at(connection, change.firm_id, source)
