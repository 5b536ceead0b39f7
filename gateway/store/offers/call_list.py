"""The people whom blasts call, as their marketer's side sees them: put there, counted, ended with the blast.

The dialer takes and ends them one by one (gateway.store.calls.offer_queue).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, update

from gateway.domain.offers.offer_call import CallState, Outcome
from gateway.store.offers.blasts import Blast
from gateway.store.sql import database, schema, statements

BAD_FOR_MS: Final = 180 * 86_400_000  # a number that did not exist may be somebody's after so long
FAILED: Final = (Outcome.FAILED, Outcome.BAD_NUMBER)  # ours, or the list's; busy and no answer are people's
_CHUNK: Final = 500


def add(connection: Connection, blast: Blast, shoppers: Sequence[int], now: int) -> None:
    """Let these shopper ids wait to be called, from `now` on, ms."""
    fresh = {"state": CallState.WAITING.value, "due_at": now, "attempts": 0, "calls": 0}
    whose = {"blast_id": blast.id, "firm_id": blast.firm_id}
    rows = [{**whose, "shopper_id": shopper, **fresh} for shopper in shoppers]
    statements.insert_all(connection, schema.offer_call, rows)


def due(engine: Engine, blast_id: int, now: int, *, most: int) -> int:
    """How many of a blast wait whose time has come, ms; counted up to `most`."""
    c = schema.offer_call
    some = select(c.c.shopper_id).where(c.c.blast_id == blast_id, schema.WAITING, c.c.due_at <= now)
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(some.limit(most).subquery())) or 0)


def unended(engine: Engine, blast_id: int) -> bool:
    """Whether anybody of a blast waits to be called, or is called now."""
    c = schema.offer_call
    with engine.connect() as connection:
        return any(
            connection.scalar(select(c.c.shopper_id).where(c.c.blast_id == blast_id, state).limit(1))
            is not None
            for state in (schema.WAITING, schema.CALLING)
        )


def failed(engine: Engine, blast_id: int) -> int:
    """How many of a blast could not be called: no such number, or a fault at Asterisk, the operator or us."""
    c = schema.offer_call
    outcomes = [outcome.value for outcome in FAILED]
    ended = c.c.state == CallState.ENDED.value
    query = select(func.count()).where(c.c.blast_id == blast_id, ended, c.c.outcome.in_(outcomes))
    with engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def bad_numbers(engine: Engine, shoppers: Sequence[int], now: int) -> frozenset[int]:
    """Those of the shopper ids whose number a call of any firm has found bad of late. `now`: ms."""
    r = schema.offer_call_record
    found: set[int] = set()
    with engine.connect() as connection:
        for at in range(0, len(shoppers), _CHUNK):
            query = select(r.c.shopper_id).where(
                r.c.shopper_id.in_(shoppers[at : at + _CHUNK]),
                r.c.outcome == Outcome.BAD_NUMBER.value,
                r.c.begun_at > now - BAD_FOR_MS,
            )
            found.update(connection.scalars(query))
    return frozenset(found)


def end_waiting(engine: Engine, blast_id: int, outcome: Outcome, now: int, *, most: int) -> int:
    """End people of a blast that is over who still wait; how many did, `most` at once. `now`: ms.

    Who was called before keeps what came of the last call: it says more than that the blast was over.
    """
    c = schema.offer_call
    some = select(c.c.shopper_id).where(c.c.blast_id == blast_id, schema.WAITING).limit(most)
    values: Mapping[str, Any] = {
        "state": CallState.ENDED.value,
        "outcome": func.coalesce(c.c.outcome, outcome.value),
        "ended_at": now,
    }
    with database.writing(engine) as connection:
        ids = connection.scalars(some).all()
        for at in range(0, len(ids), _CHUNK):
            these = (c.c.blast_id == blast_id, c.c.shopper_id.in_(ids[at : at + _CHUNK]), schema.WAITING)
            connection.execute(update(c).where(*these).values(values))
    return len(ids)
