"""Aliases in SQL: who has which, since and until when, and what a till may ask of one."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine, bindparam, insert, null, select, update

from gateway.domain.people.alias import Alias
from gateway.store.sql import schema, statements

_CURRENT = schema.alias.c.ends_at.is_(None)


def of(connection: Connection, shoppers: Iterable[int]) -> dict[int, list[Alias]]:
    """All aliases that these people ever had, by shopper, the newest last."""
    t = schema.alias
    found: dict[int, list[Alias]] = defaultdict(list)
    for row in connection.execute(select(t).where(t.c.shopper_id.in_(set(shoppers))).order_by(t.c.id)):
        found[row.shopper_id].append(
            Alias(
                counter=row.id,
                shopper_id=row.shopper_id,
                created_at=row.created_at,
                message_id=row.message_id,
                ends_at=row.ends_at,
                told_at=row.told_at,
                texted_at=row.texted_at,
            )
        )
    return dict(found)


def give(connection: Connection, asking: Mapping[int, str | None], now: int) -> dict[int, list[Alias]]:
    """As `of`; who has none now gets the next. `asking`: shopper -> the text that asks, if one does."""
    had = of(connection, asking)
    without = sorted(s for s in asking if s not in had or had[s][-1].ends_at is not None)
    if not without:
        return had
    # Another process may be giving the same at this moment: one of both rows stands, and both tell it.
    rows = [{"shopper_id": s, "created_at": now, "message_id": asking[s]} for s in without]
    statements.insert_missing(connection, schema.alias, rows)
    return had | of(connection, without)


def replace(connection: Connection, current: Alias, *, message_id: str, now: int, ends_at: int) -> bool:
    """Let `current` die at `ends_at` and give its person the next, for the text `message_id`. Times in ms.

    False where another process has replaced it: nothing was done.
    """
    t = schema.alias
    ended = connection.execute(
        update(t).where(t.c.id == current.counter, _CURRENT).values(ends_at=ends_at)
    ).rowcount
    if ended:
        new = {"shopper_id": current.shopper_id, "created_at": now, "message_id": message_id}
        connection.execute(insert(t).values(new))
    return bool(ended)


def note_told(connection: Connection, shopper: int, now: int) -> None:
    """The alias that a person has is told by call now (ms): a text must prove the number after it."""
    t = schema.alias
    connection.execute(
        update(t).where(t.c.shopper_id == shopper, _CURRENT).values(told_at=now, texted_at=null())
    )


def note_texted(connection: Connection, texted: Mapping[int, int]) -> None:
    """Texts came from the numbers of these shoppers; `texted`: shopper -> when, ms. One statement."""
    rows = [{"b_shopper": shopper, "b_at": at} for shopper, at in sorted(texted.items())]
    if rows:
        connection.execute(_TEXTED, rows)


class AliasLookups:
    """What tills ask, in threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def balance(self, counter: int | None, firm_id: int) -> int | None:
        """The points at a firm of whoever has an alias now or in its grace; None for one that nobody has.

        `counter`: None for what cannot be one: it is looked for all the same, so that it takes the same time.
        Raises SQLAlchemyError.
        """
        return await asyncio.to_thread(self._balance, counter or _NOBODYS, firm_id)

    def _balance(self, counter: int, firm_id: int) -> int | None:
        with self._engine.connect() as connection:
            found = connection.execute(_LOOK_UP, {"b_counter": counter, "b_firm": firm_id}).first()
        if found is None or (found.ends_at is not None and found.ends_at <= time.time() * 1000):
            return None
        return int(found.points or 0)


_NOBODYS = 0  # rows are numbered from 1
_LOOK_UP = (
    select(schema.alias.c.ends_at, schema.balance.c.points)
    .select_from(
        schema.alias.outerjoin(
            schema.balance,
            (schema.balance.c.shopper_id == schema.alias.c.shopper_id)
            & (schema.balance.c.firm_id == bindparam("b_firm")),
        )
    )
    .where(schema.alias.c.id == bindparam("b_counter"))
)
_TEXTED = (
    update(schema.alias)
    .where(
        schema.alias.c.shopper_id == bindparam("b_shopper"),
        _CURRENT,
        schema.alias.c.told_at < bindparam("b_at"),
        schema.alias.c.texted_at.is_(None),
    )
    .values(texted_at=bindparam("b_at"))
)
