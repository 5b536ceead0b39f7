"""The way of call records into SQL: gathered, and written a moment later, so that no call waits for them."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from gateway.store import calls
from gateway.store.calls import CallRow

WRITE_EVERY_S: Final = 0.5  # so much of it a killed process loses
AT_ONCE: Final = 1000
MOST_KEPT: Final = 100_000  # while SQL is away; what comes then is counted and lost


class CallLog:
    """`add` at the end of each call; `run` in a task."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows: list[CallRow] = []
        self._writing = threading.Lock()  # the last writing may meet the one before it
        self._away = Outage("records of calls wait for the database")
        self._full = Outage("records of calls are lost: the database is away for too long")

    def add(self, row: CallRow) -> None:
        """Never waits."""
        if len(self._rows) < MOST_KEPT:
            self._rows.append(row)
        else:
            self._full.on("full")

    async def run(self) -> None:
        """Write until cancelled, and what is left then."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                await asyncio.to_thread(self.write)
        finally:
            self.write()

    def write(self) -> None:
        """Everything that was added so far; what a database that is away does not take waits."""
        with self._writing:
            self._write()

    def _write(self) -> None:
        while self._rows:
            batch = self._rows[:AT_ONCE]
            try:
                calls.write(self._engine, batch)
            except SQLAlchemyError as err:
                self._away.on(type(err).__name__, len(batch))
                return
            del self._rows[: len(batch)]
        self._away.over()
        self._full.over()
