"""What a call asks of SQL about the person who calls, in threads: the loop serves other calls meanwhile.

`key` is the vault's index of a number. Everything may be repeated. All calls raise SQLAlchemyError.
"""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import Engine, select, update

from gateway.store import aliases, people, schema, sql
from gateway.store.vault import Vault


class Callers:
    """Asks and tells the ledger; who is not known yet is entered as by a first text."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    async def knows(self, key: str) -> bool:
        """Whether there is a shopper with this key."""
        return await asyncio.to_thread(self._knows, key)

    async def language(self, key: str) -> str | None:
        """The language of a shopper; None for one who is not known or has told none."""
        return await asyncio.to_thread(self._language, key)

    async def choose_language(self, key: str, number: str, language: str) -> None:
        """Keep the language that a caller has chosen. `number`: E.164 digits."""
        await asyncio.to_thread(self._choose_language, key, number, language)

    async def alias(self, key: str, number: str) -> int:
        """The counter of a caller's alias, the next one at the first call; noted as told by call now."""
        return await asyncio.to_thread(self._alias, key, number)

    async def balance(self, key: str, firm_id: int) -> int:
        """A caller's points at a firm; 0 for one who has none there."""
        return await asyncio.to_thread(self._balance, key, firm_id)

    def _knows(self, key: str) -> bool:
        with self._engine.connect() as connection:
            return people.find(connection, key) is not None

    def _language(self, key: str) -> str | None:
        with self._engine.connect() as connection:
            found = people.find(connection, key)
        return found.language if found else None

    def _choose_language(self, key: str, number: str, language: str) -> None:
        t = schema.shopper
        with sql.writing(self._engine) as connection:
            person = people.known_or_new(connection, self._vault, key=key, number=number, at=_now())
            connection.execute(update(t).where(t.c.id == person.id).values(language=language))

    def _alias(self, key: str, number: str) -> int:
        now = _now()
        with sql.writing(self._engine) as connection:
            person = people.known_or_new(connection, self._vault, key=key, number=number, at=now)
            had = aliases.give(connection, {person.id: None}, now)[person.id]
            aliases.note_told(connection, person.id, now)
        return had[-1].counter

    def _balance(self, key: str, firm_id: int) -> int:
        s, b = schema.shopper, schema.balance
        query = select(b.c.points).join(s, s.c.id == b.c.shopper_id)
        with self._engine.connect() as connection:
            return connection.scalar(query.where(s.c.key == key, b.c.firm_id == firm_id)) or 0


def _now() -> int:
    return int(time.time() * 1000)
