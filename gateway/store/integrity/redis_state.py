"""Holds Redis against SQL: is this the Redis of this deployment, whole, and not behind?

SQL knows how far each firm's outbox is settled, how far outcomes are filed, and how many changes of consent
by no text its Redis has counted. A Redis that is empty, of another deployment, or behind in one of these has
lost claims, consent, or what has left; it must not say yes to a code or an offer before it is rebuilt.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.store.codes import catalog
from gateway.store.integrity import watermark
from gateway.store.integrity.watermark import Marks
from gateway.store.redis import keys
from gateway.store.sql import database, schema


class Presence(StrEnum):
    """How Redis stands against SQL."""

    WHOLE = "whole"
    EMPTY = "empty"
    FOREIGN = "of another deployment"
    BEHIND = "behind the ledger"
    AHEAD = "of a later time than the ledger"

    @property
    def mend(self) -> str:
        """What the operator does."""
        if self is Presence.AHEAD:
            return "put the later database back; if it is lost for good: `undercap rebuild --ledger-lost`"
        if self is Presence.FOREIGN:
            return "mend redis.url or sql.url, or put this Redis' own database back"
        return "run `undercap rebuild`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`firms`: those whose keys are missing or behind."""

    presence: Presence
    firms: tuple[int, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether this Redis may decide for the firms that are whole; the others are closed in it."""
        return self.presence in (Presence.WHOLE, Presence.BEHIND)


def deployment_id(engine: Engine) -> str:
    """The deployment's id; made once, whoever begins it at the same time."""
    with engine.connect() as connection:
        found = connection.scalar(select(schema.deployment.c.id))
    if found is None:
        made = {"id": os.urandom(16).hex(), "created_at": int(time.time() * 1000), "place": 1}
        with suppress(IntegrityError), database.writing(engine) as connection:
            connection.execute(insert(schema.deployment).values(made))
        with engine.connect() as connection:
            found = connection.execute(select(schema.deployment.c.id)).scalar_one()
    return str(found)


def foreign(engine: Engine, redis: Redis) -> bool:
    """Whether Redis certainly is of another deployment than the database, as both stand now.

    A Redis that was emptied knows of none, and holds nothing to settle. Raises as `look`.
    """
    stands = redis.get(keys.DEPLOYMENT)
    if stands is None:
        return False
    with engine.connect() as connection:
        return connection.scalar(select(schema.deployment.c.id)) != _text(stands)


def look(engine: Engine, redis: Redis, deployment: str) -> Standing:
    """How Redis stands; changes nothing.

    Raises RedisError or the database's error when one of them cannot be asked.
    """
    with engine.connect() as connection:
        firms = list(connection.scalars(select(schema.firm.c.id)))
    return _look(redis, _settled(engine), firms, deployment)


def check(engine: Engine, redis: Redis, deployment: str) -> Standing:
    """As `look`; what is new, and so can have lost nothing, is opened on the way, and what is behind is
    closed.
    """
    settled = _settled(engine)
    with engine.connect() as connection:
        firms = list(connection.scalars(select(schema.firm.c.id)))
    standing = _look(redis, settled, firms, deployment)
    if standing.presence in (Presence.EMPTY, Presence.FOREIGN, Presence.AHEAD):
        return standing
    redis.set(keys.DEPLOYMENT, deployment, nx=True)
    if firms:
        redis.sadd(keys.FIRMS, *firms)
    for firm_id in standing.firms:  # its old data must not decide for it; unless it was rebuilt just now
        if not _whole(redis, firm_id, settled.get(firm_id), deployment):
            redis.delete(keys.gate(firm_id))
    for firm_id in firms:
        if firm_id not in settled:
            open_firm(redis, firm_id, deployment)
    for firm_id in firms:
        if firm_id not in standing.firms:
            catalog.publish(engine, redis, firm_id)
    return standing


def accept(engine: Engine, redis: Redis, deployment: str) -> None:
    """Go on with a SQL of an earlier time: the claims and refusals that Redis has stay, what it remembers of
    the later SQL does not.
    """
    with engine.connect() as connection:
        firms = list(connection.scalars(select(schema.firm.c.id)))
    redis.delete(keys.FIRMS, *map(keys.settled, firms))
    check(engine, redis, deployment)


def _settled(engine: Engine) -> dict[int, Marks]:
    with engine.connect() as connection:
        return watermark.marks(connection)


def _look(redis: Redis, settled: dict[int, Marks], firms: list[int], deployment: str) -> Standing:
    stands = redis.get(keys.DEPLOYMENT)
    if stands is None:
        presence = Presence.EMPTY if settled else Presence.WHOLE
        return Standing(presence=presence, firms=tuple(settled))
    if _text(stands) != deployment:
        return Standing(presence=Presence.FOREIGN)
    if ahead := _ahead(redis, settled, firms):
        return Standing(presence=Presence.AHEAD, firms=ahead)
    lost = tuple(f for f in firms if not _whole(redis, f, settled.get(f), deployment))
    return Standing(presence=Presence.BEHIND if lost else Presence.WHOLE, firms=lost)


def _ahead(redis: Redis, settled: dict[int, Marks], firms: list[int]) -> tuple[int, ...]:
    """Firms of whom Redis knows more than SQL: texts that it has settled, or the firm itself."""
    members: Any = redis.smembers(keys.FIRMS)
    lost = {int(_text(member)) for member in members} - set(firms)
    for firm_id in firms:
        mark: Any = redis.get(keys.settled(firm_id))
        stands = settled.get(firm_id, watermark.Marks()).outbox_id
        if mark is not None and watermark.stream_id(_text(mark)) > watermark.stream_id(stands):
            lost.add(firm_id)
    return tuple(sorted(lost))


def open_firm(redis: Redis, firm_id: int, deployment: str) -> None:
    """Let claims of a firm be decided by this Redis."""
    redis.set(keys.gate(firm_id), deployment)


def _whole(redis: Redis, firm_id: int, marks: Marks | None, deployment: str) -> bool:
    if marks is None:  # nothing was ever settled: whatever is missing was never there
        return True
    gate = redis.get(keys.gate(firm_id))
    if gate is None or _text(gate) != deployment:
        return False
    return (
        _reaches(redis, keys.outbox(firm_id), marks.outbox_id)
        and _reaches(redis, keys.results(firm_id), marks.results_id)
        and _changes(redis, firm_id) >= marks.changes
    )


def _reaches(redis: Redis, name: str, mark: str) -> bool:
    if mark == watermark.NEVER:
        return True
    try:
        last = redis.xinfo_stream(name)["last-generated-id"].decode()
    except ResponseError:
        return False
    return watermark.stream_id(last) >= watermark.stream_id(mark)


def _changes(redis: Redis, firm_id: int) -> int:
    found = redis.get(keys.order(firm_id))
    return int(_text(found).rpartition(" ")[2]) if found else 0


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()
