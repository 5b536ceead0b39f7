"""Who opened what for which purpose: counts of the processes, and each access to one person's number."""

from __future__ import annotations

import os
import pwd
import time
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select

from gateway.store.sql import schema

MOST_ACCESSES: Final = 1000  # of one report, the newest
_MOST_WHO: Final = 64


BEGINNING: Final = 0
END: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part is wanted: from `since` on and before `until`, ms since 1970; "" for all purposes."""

    since: int = BEGINNING
    until: int = END
    purpose: str = ""


class Opened(NamedTuple):
    """How many numbers a process opened; the minutes of the first and the last, ms since 1970."""

    process: str
    purpose: str
    opened: int
    first_at: int
    last_at: int


class Access(NamedTuple):
    """An access to one person's number. `shopper`: their id, None where nobody was found."""

    accessed_at: int
    who: str
    purpose: str
    shopper: int | None


class Report(NamedTuple):
    """`more`: there are more single accesses than are listed."""

    opened: list[Opened]
    accesses: list[Access]
    more: bool


def this_operator() -> str:
    """The user of the machine who runs this command, and as whom."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        name = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER")
    return (f"{behind} as {name}" if behind else name)[:_MOST_WHO]


def note(connection: Connection, who: str, purpose: str, shopper: int | None) -> None:
    """Somebody reaches for one person's number."""
    now = int(time.time() * 1000)
    row = {"who": who, "purpose": purpose, "shopper_id": shopper, "accessed_at": now}
    connection.execute(insert(schema.person_access).values(row))


def read(engine: Engine, span: Span) -> Report:
    """The report of a span. Raises SQLAlchemyError."""
    v, p = schema.vault_access, schema.person_access
    counts = (
        select(
            v.c.process, v.c.purpose, func.sum(v.c.opened), func.min(v.c.minute_at), func.max(v.c.minute_at)
        )
        .where(*_within(v.c.minute_at, v.c.purpose, span))
        .group_by(v.c.process, v.c.purpose)
        .order_by(v.c.process, v.c.purpose)
    )
    single = (
        select(p.c.accessed_at, p.c.who, p.c.purpose, p.c.shopper_id)
        .where(*_within(p.c.accessed_at, p.c.purpose, span))
        .order_by(p.c.accessed_at.desc(), p.c.id.desc())
        .limit(MOST_ACCESSES + 1)
    )
    with engine.connect() as connection:
        opened = [Opened(row[0], row[1], int(row[2]), row[3], row[4]) for row in connection.execute(counts)]
        accesses = [Access(*row) for row in connection.execute(single)]
    return Report(opened, accesses[:MOST_ACCESSES], len(accesses) > MOST_ACCESSES)


def _within(at: Any, purpose: Any, span: Span) -> list[Any]:
    found = [at >= span.since, at < span.until]
    return [*found, purpose == span.purpose] if span.purpose else found
