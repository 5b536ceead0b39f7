"""Records of calls (CDR): written in batches when calls have ended, read as one day's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, String, func, select

from gateway.domain.written.outside import fitted
from gateway.store.sql import database, schema
from gateway.store.sql.statements import insert_missing

KEYS: Final = "1234567890*#"
LOST: Final = "lost"  # the outcome of a call whose process ended before it
_WIDTHS: Final = {
    column.name: column.type.length or 0
    for column in schema.call_record.columns
    if isinstance(column.type, String)
}


class CallRow(NamedTuple):
    """One call, at its end. Times in ms since 1970; `answered_at`: None when the caller hung up before.

    `firm_id`: host of the short number, if any. `caller`: known, withheld, unknown, malformed or foreign.
    `keys`: pressed in menus, sorted. `services`: what was asked of the gateway, parted by commas.
    `outcome`: why it ended; `fault`: why it broke, where it did.
    """

    id: str
    firm_id: int | None
    free_number: str
    caller: str
    language: str
    keys: str
    services: str
    outcome: str
    fault: str | None
    started_at: int
    answered_at: int | None
    ended_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """What the records of a time tell. `seconds`: talked, all together. The rest: how many calls or keys."""

    calls: int
    answered: int
    seconds: float
    outcomes: dict[str, int]
    faults: dict[str, int]
    callers: dict[str, int]
    keys: dict[str, int]

    @property
    def answer_rate(self) -> float | None:
        """Answered calls of all; None without calls."""
        return self.answered / self.calls if self.calls else None


def write(engine: Engine, rows: Sequence[CallRow]) -> None:
    """On disk when it returns; may be repeated. Raises SQLAlchemyError."""
    with database.writing(engine) as connection:
        insert_missing(connection, schema.call_record, [_shortened(row) for row in rows])


def figures(engine: Engine, since: int) -> CallFigures:
    """Of the calls that began at `since` (ms since 1970) or later. Raises SQLAlchemyError."""
    t = schema.call_record
    talked = func.coalesce(func.sum(t.c.ended_at - t.c.answered_at), 0)
    totals = select(func.count(), func.count(t.c.answered_at), talked, *(_presses(key) for key in KEYS))
    with engine.connect() as connection:
        calls, answered, talked_ms, *pressed = connection.execute(totals.where(t.c.started_at >= since)).one()
        return CallFigures(
            calls=calls,
            answered=answered,
            seconds=float(talked_ms) / 1000,
            outcomes=_count(connection, t.c.outcome, since),
            faults=_count(connection, t.c.fault, since),
            callers=_count(connection, t.c.caller, since),
            keys={key: int(n) for key, n in zip(KEYS, pressed, strict=True) if n},
        )


def _shortened(row: CallRow) -> dict[str, Any]:
    """No text of a row is longer than its column."""
    return {
        name: fitted(value, _WIDTHS[name]) if isinstance(value, str) else value
        for name, value in row._asdict().items()
    }


def _presses(key: str) -> Any:
    keys = schema.call_record.c["keys"]  # .keys is a method
    return func.coalesce(func.sum(func.length(keys) - func.length(func.replace(keys, key, ""))), 0)


def _count(connection: Connection, column: Any, since: int) -> dict[str, int]:
    """How many calls by the words of a column; those that have none are left out."""
    began = schema.call_record.c.started_at >= since
    query = select(column, func.count()).where(began, column.is_not(None)).group_by(column).order_by(column)
    return {str(word): int(n) for word, n in connection.execute(query)}
