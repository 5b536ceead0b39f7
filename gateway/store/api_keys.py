"""Whose API key it is. The ledger holds digests only, so a key cannot be read from it."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine, select

from gateway.store import schema
from gateway.store.vault import Vault


class ApiKeys:
    """Keys as `undercap firm key` makes them."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    async def firm_of(self, key: str) -> int | None:
        """The firm of a key; None for one that never was or was revoked. Raises SQLAlchemyError.

        What is looked up is a keyed digest, so how long it takes says nothing about any key.
        """
        digest = self._vault.digest("api-key|" + key)
        return await asyncio.to_thread(self._look_up, digest)

    def _look_up(self, digest: str) -> int | None:
        t = schema.api_key
        query = select(t.c.firm_id).where(t.c.digest == digest, t.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            return connection.scalar(query)
