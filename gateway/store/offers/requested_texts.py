"""Texts of a blast that were asked for in its calls: one a shopper and blast; a no keeps them back."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, func, select

from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer import Facts
from gateway.domain.offers.offer_ids import asked_id
from gateway.domain.sms.segments import count
from gateway.store.people.erasures import ERASED
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import script
from gateway.store.sql import database, schema, statements
from gateway.store.texts.sendqueue import seal_answer
from gateway.store.vault.vault import Vault

KIND = "asked"
LIVES_MS: Final = 600_000  # later it would surprise whoever asked for it


class _Row(NamedTuple):
    """The text as SQL has it."""

    id: str
    link: str
    sealed: bytes | None
    state: str
    queued_at: int


class AskedOffers:
    """The way of these texts into the sending queues."""

    def __init__(self, redis: DurableRedis, engine: Engine, vault: Vault) -> None:
        self._redis = redis
        self._engine = engine
        self._vault = vault

    async def facts(self, callee: Callee) -> Facts:
        """What a text may tell of the callee. Raises SQLAlchemyError."""
        return await asyncio.to_thread(self._facts, callee)

    async def put(self, callee: Callee, link: str, text: str) -> None:
        """Queue `text` unless the callee was sent this blast's before; may be repeated.

        The row is there before the text, so that no outcome is missed. Raises SQLAlchemyError, RedisError.
        """
        row = await asyncio.to_thread(self._note, callee, link, text)
        if row.state != "queued" or row.sealed is None:
            return
        names = (
            keys.asked(callee.firm_id, callee.blast_id, callee.shopper_id),
            keys.send(callee.firm_id, row.link),
        )
        of_use = (row.queued_at + LIVES_MS, self._vault.index(callee.number), callee.blast_id)
        args = (keys.ASKED_TTL, row.id, row.sealed, callee.short_number, row.queued_at, *of_use)
        await self._redis.call("EVAL", script("put_asked"), len(names), *names, *args)

    def _note(self, callee: Callee, link: str, text: str) -> _Row:
        """The row of the callee's text, which may be of an earlier time."""
        t, now = schema.message, int(time.time() * 1000)
        id_ = asked_id(callee.blast_id, callee.shopper_id, firm=callee.firm_id)
        row: dict[str, Any] = {
            "id": id_,
            "firm_id": callee.firm_id,
            "shopper_id": callee.shopper_id,
            "kind": KIND,
            "state": "queued",
            "link": link,
            "short_number": callee.short_number,
            "outcomes": "",
            "sealed": seal_answer(self._vault, callee.number, text),
            "segments": count(text, plain=True),  # as links have it by default
            "attempts": 0,
            "queued_at": now,
        }
        s = schema.shopper
        theirs = select(s.c.id).where(s.c.id == callee.shopper_id, s.c.erased_at.is_(None))
        with database.writing(self._engine) as connection:
            if (
                connection.scalar(theirs.with_for_update()) is None
            ):  # erased meanwhile: nobody's is left alone
                return _Row(id_, link, None, ERASED, now)
            statements.insert_missing(connection, t, [row])
            found = connection.execute(select(*(t.c[name] for name in _Row._fields)).where(t.c.id == id_))
            return _Row(*found.one())

    def _facts(self, callee: Callee) -> Facts:
        a, b = schema.activation, schema.balance
        own = select(func.count(), func.min(a.c.claimed_at)).where(
            a.c.shopper_id == callee.shopper_id, a.c.firm_id == callee.firm_id
        )
        points = select(b.c.points).where(b.c.shopper_id == callee.shopper_id, b.c.firm_id == callee.firm_id)
        with self._engine.connect() as connection:
            codes, first = connection.execute(own).one()
            return Facts(points=connection.scalar(points) or 0, codes=codes, first=first)
