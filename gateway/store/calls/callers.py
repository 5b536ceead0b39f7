"""What a call asks of SQL about the person who calls, in threads: the loop serves other calls meanwhile.

`key` is the vault's index of a number. Everything may be repeated. All calls raise SQLAlchemyError.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Engine, select

from gateway.store.people import aliases, shoppers
from gateway.store.sql import database, schema
from gateway.store.vault.vault import Vault


class _Asking(NamedTuple):
    """Somebody who waits for an alias, perhaps no longer."""

    key: str
    number: str
    counter: asyncio.Future[int]

    def tell(self, counter: int) -> None:
        if not self.counter.done():
            self.counter.set_result(counter)

    def fail(self, err: Exception) -> None:
        if not self.counter.done():
            self.counter.set_exception(err)


class Callers:
    """Asks and tells the ledger; who is not known yet is entered as by a first text."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._asking: list[_Asking] = []
        self._giving: asyncio.Task[None] | None = None

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
        """The counter of a caller's alias, the next one at the first call; noted as told by call now.

        Whoever asks while a transaction is on its way shares the next: SQLite knows one writer, and each
        commit waits for the disk.
        """
        asking = _Asking(key, number, asyncio.get_running_loop().create_future())
        self._asking.append(asking)
        if self._giving is None:
            self._giving = asyncio.create_task(self._give())
        return await asking.counter

    async def balance(self, key: str, firm_id: int) -> int:
        """A caller's points at a firm; 0 for one who has none there."""
        return await asyncio.to_thread(self._balance, key, firm_id)

    def _knows(self, key: str) -> bool:
        with self._engine.connect() as connection:
            return shoppers.find(connection, key) is not None

    def _language(self, key: str) -> str | None:
        with self._engine.connect() as connection:
            found = shoppers.find(connection, key)
        return found.language if found else None

    def _choose_language(self, key: str, number: str, language: str) -> None:
        with database.writing(self._engine) as connection:
            person = shoppers.known_or_new(connection, self._vault, key=key, number=number, at=_now())
            shoppers.speak(connection, {person.id: (language, _now())})

    async def _give(self) -> None:
        try:
            while self._asking:
                batch, self._asking = self._asking, []
                try:
                    counters = await asyncio.to_thread(self._aliases, {a.key: a.number for a in batch})
                except Exception as err:  # noqa: BLE001 - told to whoever waits
                    for asking in batch:
                        asking.fail(err)
                else:
                    for asking in batch:
                        asking.tell(counters[asking.key])
        finally:
            self._giving = None

    def _aliases(self, callers: Mapping[str, str]) -> dict[str, int]:
        """`callers`: key -> number."""
        now = _now()
        with database.writing(self._engine) as connection:
            ids = {
                key: shoppers.known_or_new(connection, self._vault, key=key, number=number, at=now).id
                for key, number in sorted(callers.items())
            }
            had = aliases.give(connection, dict.fromkeys(ids.values()), now)
            for id_ in ids.values():
                aliases.note_told(connection, id_, now)
        return {key: had[id_][-1].counter for key, id_ in ids.items()}

    def _balance(self, key: str, firm_id: int) -> int:
        s, b = schema.shopper, schema.balance
        query = select(b.c.points).join(s, s.c.id == b.c.shopper_id)
        with self._engine.connect() as connection:
            return connection.scalar(query.where(s.c.key == key, b.c.firm_id == firm_id)) or 0


def _now() -> int:
    return int(time.time() * 1000)
