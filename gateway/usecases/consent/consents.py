"""Changing a person's consent by a page, the API, an operator or a key in a call: in force at once.

A no is in force in Redis before it is written to SQL, a yes only afterwards: whatever fails in between,
nobody is reached on a yes that has no record. A no is put once more when it is written, in case Redis was
rebuilt in between. What came with a text is settled with it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from gateway.domain.consent.word import CLOCKS_DIFFER_MS, Channel, Consent, Said
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.store.consent import consents
from gateway.store.consent.consents import Entry
from gateway.store.consent.redis_words import NOW, ConsentWords, Place, Put
from gateway.store.integrity import watermark
from gateway.store.people import shoppers
from gateway.store.sql import database
from gateway.store.vault.vault import Vault


class BeforeStop(Exception):
    """A yes that was given before the no that stands, or perhaps; it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a person, or somebody for them, has said. `number`: E.164 digits.

    `how`: web, api, call or operator. `source`: the call's or the request's id, "" for one of our own.
    `wording`: what the person was shown; `proof`: what else shows it. `said_at`: of a yes, when it was given,
    by the clock of whoever tells of it, ms since 1970; 0: now. A no counts from now on, whenever it was said.
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
        if change.consent is Consent.WITHDRAWN:
            return await self._refuse(change, shopper)
        return await self._agree(change, shopper)

    async def _refuse(self, change: Change, shopper: str) -> Mapping[Channel, Said]:
        put = Put(shopper, change.channels, Consent.WITHDRAWN, NOW)
        place, _ = await self.words.put(change.firm_id, [put])
        await asyncio.to_thread(self._record, change, shopper, place.moment, place)
        _, (stands,) = await self.words.put(change.firm_id, [put._replace(at=place.moment)])
        return stands

    async def _agree(self, change: Change, shopper: str) -> Mapping[Channel, Said]:
        place = await self.words.reserve(change.firm_id)
        at = min(change.said_at, place.moment) if change.said_at else place.moment
        before = await self.words.read(change.firm_id, shopper)
        refused = [before[c].at for c in change.channels if before[c].consent is Consent.WITHDRAWN]
        # By its own clock somebody says when it was; of the no it is known where it stands in the order.
        doubt = CLOCKS_DIFFER_MS if change.said_at else 0
        if refused and max(refused) + doubt >= at:
            raise BeforeStop
        said_at = await asyncio.to_thread(self._record, change, shopper, at, place)
        put = Put(shopper, change.channels, Consent.GIVEN, said_at)
        _, (stands,) = await self.words.put(change.firm_id, [put])
        return stands

    async def read(self, firm_id: int, number: str) -> Mapping[Channel, Said]:
        """How a person (E.164 digits) stands to a firm. Raises RedisError."""
        return await self.words.read(firm_id, self.vault.index(number))

    def _record(self, change: Change, shopper: str, at: int, place: Place) -> int:
        """Append the entries; when it was said: a source that is known already has its time."""
        source = change.source or message_id(int(time.time() * 1000), os.urandom(RANDOM_OCTETS))
        with database.writing(self.engine) as connection:
            person = shoppers.known_or_new(connection, self.vault, key=shopper, number=change.number, at=at)
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
            shoppers.join(connection, change.firm_id, [person.id])
            watermark.note_changes(connection, change.firm_id, place.changes)
            return consents.said_at(connection, change.firm_id, source)
