"""Whose API key it is. The ledger holds digests only, so a key cannot be read from it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from sqlalchemy import Engine, select

from gateway.store.sql import schema
from gateway.store.vault.vault import Vault


class ApiKey(NamedTuple):
    """A key that stands."""

    id: int
    firm_id: int


class ApiKeys:
    """Keys as `undercap firm key` makes them."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    async def find(self, key: str) -> ApiKey | None:
        """A key as it was shown; None for one that never was or was revoked. Raises SQLAlchemyError.

        What is looked up is a keyed digest, so how long it takes says nothing about any key.
        """
        digest = self._vault.digest("api-key|" + key)
        return await asyncio.to_thread(self._look_up, digest)

    def _look_up(self, digest: str) -> ApiKey | None:
        t = schema.api_key
        query = select(t.c.id, t.c.firm_id).where(t.c.digest == digest, t.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            found = connection.execute(query).first()
        return ApiKey(id=found.id, firm_id=found.firm_id) if found else None
