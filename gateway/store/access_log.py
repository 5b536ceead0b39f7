"""The vault's access log: how many numbers a process opened, by purpose and minute.

Written every WRITE_EVERY_S: so much a process that is killed has opened at most without its being counted.
"""

from __future__ import annotations

import time
from collections import Counter

import structlog
from sqlalchemy import Connection, Engine, insert, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.store import schema, sql
from gateway.store.gathered import Gathered
from gateway.store.vault import Vault

WRITE_EVERY_S = 5.0
log = structlog.get_logger()

_Rows = dict[str, tuple[int, int]]  # purpose -> minute and id of the row in which this process counts


class AccessLog(Gathered):
    """Writes what was opened since it last wrote. `process`: who opened."""

    def __init__(self, engine: Engine, vault: Vault, process: str) -> None:
        super().__init__(WRITE_EVERY_S)
        self._engine = engine
        self._vault = vault
        self._process = process
        self._written: Counter[str] = Counter()
        self._rows: _Rows = {}

    def _write(self) -> None:
        """A row a purpose and minute, if anything was opened."""
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
