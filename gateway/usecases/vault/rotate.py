"""Rotation of the sealing keys: a new generation begins, an old one ends when nothing is sealed under it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from gateway.store.integrity import key_generations
from gateway.store.people import sealed_values
from gateway.store.sql import database
from gateway.store.vault import sealing_keys
from gateway.store.vault.sealing_keys import SealingKey, sealing_now
from gateway.store.vault.vault import LOOK_EVERY_S
from gateway.usecases.firms.set_up import Refused

BEGINS_AFTER_S = 5  # several times as long as a process takes to see a new key
SETTLED_AFTER_S = 60  # what was sealed under the generation before has reached Redis or SQL by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """`seals_from`: seconds since 1970."""

    generation: int
    seals_from: int


def rotate(engine: Engine, file: Path, *, begins_after_s: float = BEGINS_AFTER_S) -> Rotated:
    """Make a generation; it seals from `begins_after_s` on, so that every process knows it by then.

    The file is written inside the transaction that notes it: of two rotations at once one is refused, and
    one that is killed in between is completed by the next. Raises Refused, SealingKeysError, SQLAlchemyError.
    """
    if begins_after_s < LOOK_EVERY_S:
        raise Refused(f"processes need {LOOK_EVERY_S:g} s to see a new key")
    try:
        with database.writing(engine) as connection:
            keys = sealing_keys.read(file)
            known = key_generations.all_of(connection)
            generation = max([g.generation for g in known] + [key.generation for key in keys], default=0) + 1
            if generation > sealing_keys.MOST_GENERATION:
                raise Refused("there are no more generations")
            missed = key_generations.unnoted(known, keys)
            key_generations.note(connection, [*missed, generation])
            made = sealing_keys.new(generation, math.ceil(time.time() + begins_after_s))
            sealing_keys.write(file, [*keys, made])
    except IntegrityError as err:
        raise Refused("somebody else rotates now") from err
    return Rotated(generation=generation, seals_from=made.seals_from)


def retire(generation: int, engine: Engine, redis: Redis, file: Path, state: Path) -> None:
    """Destroy the secret of a generation under which nothing is sealed any more. May be repeated.

    Redis is asked before SQL: what is sealed goes from SQL to Redis, and otherwise is sealed anew.
    `state`: this machine's state directory. Raises Refused, SealingKeysError, RedisError, SQLAlchemyError,
    OSError.
    """
    keys = sealing_keys.read(file)
    with engine.connect() as connection:
        known = {0} | {g.generation for g in key_generations.all_of(connection)}
    if generation not in known:
        raise Refused(f"there is no generation {generation}: see `undercap vault status`")
    _refuse_needed(generation, keys)
    waiting = sealed_values.in_redis(redis)
    with engine.connect() as connection:
        at_rest = sealed_values.in_sql(connection, [key.generation for key in keys])
    for place, counted in {**waiting, **at_rest, **sealed_values.on_disk(state)}.items():
        if counted[generation]:
            raise Refused(
                f"{counted[generation]:,} values are sealed under generation {generation} ({place}): "
                "run `undercap vault reseal`; what waits in Redis drains by itself"
            )
    with database.writing(engine) as connection:
        key_generations.retire(connection, generation)
    with database.writing(engine):  # nobody rotates now; whoever has meanwhile made a key finds it kept
        rest = [key for key in sealing_keys.read(file) if key.generation != generation]
        sealing_keys.write(file, rest)


def _refuse_needed(generation: int, keys: Sequence[SealingKey]) -> None:
    if generation == 0:
        raise Refused(
            "generation 0 is of the master secret alone, which opens much else: it cannot be destroyed; "
            "once nothing is sealed under it, it opens nothing"
        )
    now = time.time()
    successors = [key.seals_from for key in keys if key.generation > generation and key.seals_from <= now]
    if generation == sealing_now(keys, now) or not successors:
        raise Refused(f"generation {generation} seals, or will: run `undercap vault rotate` first")
    if now < min(successors) + SETTLED_AFTER_S:
        raise Refused(f"wait {SETTLED_AFTER_S} s after the next generation began: values may be on their way")
