"""The way of call records into SQL: gathered, and written a moment later, so that no call waits for them.

What SQL does not have yet stands in the journal, so that a killed process loses no call.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from sqlalchemy import Engine

from config.outage import Outage
from gateway.store.calls import records
from gateway.store.calls.journal import CallJournal
from gateway.store.calls.records import CallRow
from gateway.store.sql.faults import LedgerAway
from gateway.store.sql.piecemeal import piecemeal
from gateway.store.sql.write_behind import Gathered

WRITE_EVERY_S: Final = 0.5
AT_ONCE: Final = 1000
MOST_KEPT: Final = 100_000  # while SQL is away; what comes then is counted and lost
log = structlog.get_logger()


class CallLog(Gathered):
    """`note` while a call goes on, `add` at its end; neither waits for SQL."""

    def __init__(self, engine: Engine, journal: CallJournal, left: Iterable[CallRow] = ()) -> None:
        """`left`: by a process that was killed, as the journal has found it."""
        super().__init__(WRITE_EVERY_S)
        self._engine = engine
        self._journal = journal
        self._open: dict[str, CallRow] = {}
        self._rows = list(left)
        self._changing = threading.Lock()  # what stands here and in the journal
        self._away = Outage("records of calls wait for the database")
        self._full = Outage("records of calls are lost: the database is away for too long")

    def note(self, row: CallRow) -> None:
        """A call as it would have to be recorded if this process ended now."""
        with self._changing:
            self._open[row.id] = row
            self._journal.note(row)

    def add(self, row: CallRow) -> None:
        """A call that is over."""
        with self._changing:
            self._open.pop(row.id, None)
            if len(self._rows) < MOST_KEPT:
                self._rows.append(row)
                self._journal.note(row)
            else:
                self._full.on("full")

    def close(self) -> None:
        """Once nothing runs any more."""
        self._journal.close(self._standing())

    def _write(self) -> None:
        self._journal.alive()
        while self._rows:
            batch = self._rows[:AT_ONCE]
            try:
                _, failed = piecemeal(batch, self._written)
            except LedgerAway as err:
                self._away.on(str(err), len(batch))
                return
            if len(failed) == len(batch) > 1:  # of all of them it is no fault of one
                self._away.on(failed[0][1], len(batch))
                return
            for row, reason in failed:
                self._lay_aside(row, reason)
            with self._changing:
                del self._rows[: len(batch)]
                if self._journal.has_grown:
                    self._journal.keep(self._standing())
        self._away.over()
        self._full.over()

    def _written(self, rows: Sequence[CallRow]) -> Sequence[None]:
        records.write(self._engine, rows)
        return [None] * len(rows)

    def _lay_aside(self, row: CallRow, reason: str) -> None:
        """One that alone cannot be written: its file keeps it for the operator, and no other waits for it."""
        kept = self._journal.lay_aside(row, reason)
        log.error("record of a call laid aside", id=row.id, reason=reason, kept=kept)

    def _standing(self) -> list[CallRow]:
        return [*self._rows, *self._open.values()]
