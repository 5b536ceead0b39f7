"""Texts of blasts, noted in the ledger before they leave: whatever becomes of Redis, none leaves twice.

`message.attempts` is 0 until a sender has asked here; of two that ask about one text the first may submit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.offers.blast import State
from gateway.store.consent.gate import GateAway
from gateway.store.sql import database, schema

_QUEUED = "queued"
_AT_ONCE = 2  # links of a process take turns: they wait for one ledger
_Told = TypeVar("_Told")


class Leave(StrEnum):
    """What the ledger says of a text."""

    NOW = "now"  # noted: it may leave, and nobody else's may
    PAUSED = "paused"  # its blast is
    CANCELLED = "cancelled"  # its blast was
    OVER = "over"  # its blast has ended otherwise
    NEVER = "never"  # it may have left before, has ended, or is not known here


class Departures:
    """The ledger's notes; `engine`: of the ledger.

    A ledger that hangs holds threads of these alone: connecting to an SMSC takes others.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(_AT_ONCE, "departures")

    async def begin(self, ids: Sequence[str]) -> dict[str, Leave]:
        """Note texts that are about to leave: on disk when it returns. What may become of each.

        Raises GateAway. Those whose note was written and could not be confirmed never leave.
        """
        return await self._asked(self._begin, ids)

    async def take_back(self, ids: Sequence[str]) -> None:
        """Texts that were noted and certainly have not left may be noted again. Raises GateAway."""
        await self._asked(self._take_back, ids)

    async def _asked(self, work: Callable[[Sequence[str]], _Told], ids: Sequence[str]) -> _Told:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, ids)
        except SQLAlchemyError as err:
            raise GateAway(f"ledger: {type(err).__name__}") from err

    def _begin(self, ids: Sequence[str]) -> dict[str, Leave]:
        m, b = schema.message, schema.blast
        query = (
            select(m.c.id, m.c.state, m.c.attempts, b.c.state)
            .join(b, b.c.id == m.c.blast_id)
            .where(m.c.id.in_(ids))
            .order_by(m.c.id)  # whoever else locks them does it in the same order
            .with_for_update(of=m)
        )
        with database.writing(self._engine) as connection:
            found = {id_: _leave(*row) for id_, *row in connection.execute(query)}
            now = [id_ for id_, leave in found.items() if leave is Leave.NOW]
            if now:
                connection.execute(update(m).where(m.c.id.in_(now)).values(attempts=1))
        return {id_: found.get(id_, Leave.NEVER) for id_ in ids}

    def _take_back(self, ids: Sequence[str]) -> None:
        m = schema.message
        with database.writing(self._engine) as connection:
            connection.execute(
                update(m).where(m.c.id.in_(ids), m.c.state == _QUEUED, m.c.attempts == 1).values(attempts=0)
            )


_BLASTS = {State.RUNNING: Leave.NOW, State.PAUSED: Leave.PAUSED, State.CANCELLED: Leave.CANCELLED}


def _leave(state: str, attempts: int, blast: str) -> Leave:
    if attempts or state != _QUEUED:
        return Leave.NEVER
    return _BLASTS.get(State(blast), Leave.OVER)
