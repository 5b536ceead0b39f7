"""The vault's access log: how many numbers a process opened, by purpose and minute.

Written every WRITE_EVERY_S: so much a process that is killed has opened at most without its being counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection, Engine, insert, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.store import schema, sql
from gateway.store.vault import Vault

WRITE_EVERY_S = 5.0
log = structlog.get_logger()

_Rows = dict[str, tuple[int, int]]  # purpose -> minute and id of the row in which this process counts


class AccessLog:
    """Writes what was opened since it last wrote. `process`: who opened."""

    def __init__(self, engine: Engine, vault: Vault, process: str) -> None:
        self._engine = engine
        self._vault = vault
        self._process = process
        self._written: Counter[str] = Counter()
        self._rows: _Rows = {}

    async def run(self) -> None:
        """Write every few seconds, and what is left when cancelled."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                await asyncio.to_thread(self.write)
        finally:
            self.write()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The same beside a command that does not run in a loop."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(WRITE_EVERY_S):
                self.write()

        keeping = threading.Thread(target=keep, name="access log", daemon=True)
        keeping.start()
        try:
            yield
        finally:
            done.set()
            keeping.join()
            self.write()

    def write(self) -> None:
        """A row a purpose and minute, if anything was opened. A database that is away gets it later."""
        opened = Counter(self._vault.opened)
        fresh = opened - self._written
        if fresh:
            try:
                with sql.writing(self._engine) as connection:
                    rows = self._counted(connection, fresh)
            except SQLAlchemyError as err:
                log.warning("access log waits for the database", reason=type(err).__name__)
                return
            self._rows = rows
        self._written = opened

    def _counted(self, connection: Connection, fresh: Counter[str]) -> _Rows:
        t = schema.vault_access
        minute_at = int(time.time()) // 60 * 60_000
        rows: _Rows = {}
        for purpose, count in fresh.items():
            at, id_ = self._rows.get(purpose, (0, 0))
            if at == minute_at:
                connection.execute(update(t).where(t.c.id == id_).values(opened=t.c.opened + count))
            else:
                row = {"process": self._process, "purpose": purpose, "opened": count, "minute_at": minute_at}
                made = connection.execute(insert(t).values(row))
                id_ = int(made.inserted_primary_key[0])  # type: ignore[index]
            rows[purpose] = minute_at, id_
        return self._rows | rows
