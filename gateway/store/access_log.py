"""The vault's access log: how many numbers a process opened, by purpose and minute."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import structlog
from sqlalchemy import Engine, insert
from sqlalchemy.exc import SQLAlchemyError

from gateway.store import schema, sql
from gateway.store.vault import Vault

WRITE_EVERY_S = 60.0
log = structlog.get_logger()


class AccessLog:
    """Writes what was opened since it last wrote. `process`: who opened."""

    def __init__(self, engine: Engine, vault: Vault, process: str) -> None:
        self._engine = engine
        self._vault = vault
        self._process = process
        self._written: Counter[str] = Counter()

    async def run(self) -> None:
        """Write once a minute, and what is left when cancelled."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                await asyncio.to_thread(self.write)
        finally:
            self.write()

    def write(self) -> None:
        """One row a purpose; nothing when nothing was opened. A database that is away gets it next time."""
        opened = Counter(self._vault.opened)
        rows = [
            {
                "process": self._process,
                "purpose": purpose,
                "opened": count,
                "minute_at": int(time.time()) // 60 * 60_000,
            }
            for purpose, count in (opened - self._written).items()
        ]
        if rows:
            try:
                with sql.writing(self._engine) as connection:
                    connection.execute(insert(schema.vault_access), rows)
            except SQLAlchemyError as err:
                log.warning("access log waits for the database", reason=type(err).__name__)
                return
        self._written = opened
