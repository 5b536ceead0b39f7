"""Re-sealing: what is sealed under old generations and stays is opened and sealed under today's.

Batch by batch, each a transaction, so that it may be interrupted and repeated; whatever changes meanwhile
keeps its change. Done where gateway.store.vault.places says that sealed values rest: in SQL, for dead
letters, and for wishes on this machine's disk; what else is in Redis drains by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from redis import Redis
from sqlalchemy import Engine, bindparam, func, select, update

from gateway.store.people import spool_files
from gateway.store.people.sealed_values import entries
from gateway.store.redis.functions import script
from gateway.store.sql import database
from gateway.store.texts import outbox
from gateway.store.vault import places
from gateway.store.vault.places import InSql, Purpose
from gateway.store.vault.vault import HEADER, SealBroken, Vault, generation_of, header_of

BATCH = 500  # rows of one transaction
Told = Callable[[int], None]  # so many more are done


def reseal(
    engine: Engine, redis: Redis, vault: Vault, state: Path, told: Told = lambda _: None
) -> Mapping[str, int]:
    """Re-seal what stays; how many by what became of them: `sealed`, and `broken` if some cannot be opened.

    `state`: the state directory of this machine. What cannot be opened stays as it is.
    Raises SQLAlchemyError, RedisError, OSError; then it may be run again.
    """
    done = {"sealed": 0, "broken": 0}
    for fresh, broken in _all(engine, redis, vault, state):
        done["sealed"] += fresh
        done["broken"] += broken
        told(fresh)
    return done


def _all(engine: Engine, redis: Redis, vault: Vault, state: Path) -> Iterator[tuple[int, int]]:
    """Every place where sealed values rest; how many were sealed, and how many are broken."""
    for place in places.SQL:
        if place.rests:
            yield from _rows(engine, vault, place)
    for name in redis.scan_iter(match=places.DEAD.keys, count=BATCH, _type="stream"):
        yield _dead_letters(redis, name, vault)
    yield _wishes(state / places.WISHES.folder, vault)


def _rows(engine: Engine, vault: Vault, place: InSql) -> Iterator[tuple[int, int]]:
    """One column in the order of the table's key; per batch how many were sealed, and how many are broken."""
    column, table, purpose = place.column, place.column.table, place.sealed or ""
    (key,) = table.primary_key.columns
    old = (func.length(column) > 0) & (func.substr(column, 1, HEADER) != header_of(vault.generation))
    if vault.generation == 0:
        return
    change = (
        update(table)
        .where(key == bindparam("b_key"), column == bindparam("b_was"))  # unless it has changed
        .values({column.name: bindparam("b_is")})
    )
    after = None
    while True:
        query = select(key, column).where(old).order_by(key).limit(BATCH)
        with engine.connect() as connection:
            rows = connection.execute(query if after is None else query.where(key > after)).all()
        if not rows:
            return
        after = rows[-1][0]
        fresh = {id_: sealed for id_, was in rows if (sealed := _anew(vault, purpose, was))}
        if fresh:
            changes = [{"b_key": id_, "b_was": was, "b_is": fresh[id_]} for id_, was in rows if id_ in fresh]
            with database.writing(engine) as connection:
                connection.execute(change, changes)
        yield len(fresh), len(rows) - len(fresh)


def _dead_letters(redis: Redis, name: bytes, vault: Vault) -> tuple[int, int]:
    rewrite = redis.register_script(script("rewrite"))
    fresh = broken = 0
    for id_, fields in list(entries(redis, name)):
        was = outbox.sealed_number(fields)
        if not was or generation_of(was) == vault.generation:
            continue
        sealed = _anew(vault, Purpose.REPLY, was)
        if sealed is None:
            broken += 1
            continue
        fresh += int(rewrite(keys=[name], args=[id_, "", *_flat(outbox.with_number(fields, sealed))]))
    return fresh, broken


def _wishes(folder: Path, vault: Vault) -> tuple[int, int]:
    fresh = broken = 0
    for file, was in spool_files.sealed(folder):
        if was and generation_of(was) == vault.generation:
            continue
        sealed = _anew(vault, Purpose.WISH, was)
        if sealed is None:
            broken += 1
            continue
        fresh += spool_files.replace(file, was, sealed)
    return fresh, broken


def _anew(vault: Vault, purpose: str, sealed: bytes) -> bytes | None:
    """The same, sealed under today's generation; None where it cannot be opened."""
    try:
        return vault.seal(purpose, vault.open(purpose, sealed))
    except SealBroken:
        return None


def _flat(fields: Mapping[bytes, bytes]) -> Sequence[bytes]:
    return [part for pair in fields.items() for part in pair]
