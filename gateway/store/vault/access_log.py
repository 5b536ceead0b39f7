"""The vault's access log: how many numbers a process opened, by purpose and minute.

Written every WRITE_EVERY_S: so much a process that is killed has opened at most without its being counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import structlog
from sqlalchemy import Engine, insert, update

from config.outage import Outage
from gateway.domain.written.outside import fitted
from gateway.store.sql import database, schema
from gateway.store.sql.faults import LedgerAway
from gateway.store.sql.piecemeal import piecemeal
from gateway.store.sql.write_behind import Gathered
from gateway.store.vault.vault import Vault

WRITE_EVERY_S = 5.0
MOST_PROCESS = 20
log = structlog.get_logger()

_Rows = dict[str, tuple[int, int]]  # purpose -> minute and id of the row in which this process counts


class AccessLog(Gathered):
    """Writes what was opened since it last wrote. `process`: who opened.

    A purpose that cannot be written waits, and is told; the others are written.
    """

    def __init__(self, engine: Engine, vault: Vault, process: str) -> None:
        super().__init__(WRITE_EVERY_S)
        self._engine = engine
        self._vault = vault
        self._process = fitted(process, MOST_PROCESS)
        self._written: Counter[str] = Counter()
        self._rows: _Rows = {}
        self._away = Outage("access log waits for the database")
        self._refused = Outage("access log: a purpose cannot be written")

    def _write(self) -> None:
        """A row a purpose and minute, if anything was opened."""
        opened = Counter(self._vault.opened)
        fresh = opened - self._written
        try:
            done, failed = piecemeal(list(fresh.items()), self._counted)
        except LedgerAway as err:
            self._away.on(str(err))
            return
        for (purpose, count), row in done:
            self._rows[purpose] = row
            self._written[purpose] += count
        for (purpose, _), reason in failed:
            self._refused.on(f"{purpose}: {reason}")
        self._away.over()
        if not failed:
            self._refused.over()

    def _counted(self, fresh: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
        """In one transaction; of each purpose its row."""
        t = schema.vault_access
        minute_at = int(time.time()) // 60 * 60_000
        rows = []
        with database.writing(self._engine) as connection:
            for purpose, count in fresh:
                at, id_ = self._rows.get(purpose, (0, 0))
                if at == minute_at:
                    connection.execute(update(t).where(t.c.id == id_).values(opened=t.c.opened + count))
                else:
                    row = {
                        "process": self._process,
                        "purpose": purpose,
                        "opened": count,
                        "minute_at": minute_at,
                    }
                    made = connection.execute(insert(t).values(row))
                    id_ = int(made.inserted_primary_key[0])  # type: ignore[index]
                rows.append((minute_at, id_))
        return rows
