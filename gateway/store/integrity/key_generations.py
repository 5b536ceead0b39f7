"""Generations of sealing keys as SQL knows them: a file that lost one, or made one twice, is noticed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from gateway.store.sql import schema
from gateway.store.vault import sealing_keys
from gateway.store.vault.sealing_keys import SealingKey, SealingKeysError


class Generation(NamedTuple):
    """Times in ms since 1970."""

    generation: int
    made_at: int
    retired_at: int | None


def all_of(connection: Connection) -> list[Generation]:
    """Every generation that was ever made, the oldest first."""
    t = schema.sealing_generation
    rows = connection.execute(select(t.c.generation, t.c.made_at, t.c.retired_at).order_by(t.c.generation))
    return [Generation(*row) for row in rows]


def note(connection: Connection, generations: Sequence[int]) -> None:
    """They were made. Raises IntegrityError where somebody has made one of them meanwhile."""
    now = int(time.time() * 1000)
    rows = [{"generation": generation, "made_at": now} for generation in generations]
    connection.execute(insert(schema.sealing_generation), rows)


def retire(connection: Connection, generation: int) -> None:
    """Nothing is sealed under it; its secret goes."""
    t = schema.sealing_generation
    now = int(time.time() * 1000)
    connection.execute(
        update(t).where(t.c.generation == generation, t.c.retired_at.is_(None)).values(retired_at=now)
    )


def refuse_lost(engine: Engine, file: Path) -> None:
    """Refuse to work without a secret under which something may be sealed. Raises SealingKeysError."""
    known = {key.generation for key in sealing_keys.read(file)}
    with engine.connect() as connection:
        lost = [g.generation for g in all_of(connection) if not g.retired_at and g.generation not in known]
    if lost:
        raise SealingKeysError(
            f"{file}: lacks sealing keys under which numbers are sealed (generation "
            f"{', '.join(map(str, lost))}): put it back from your backup, or copy it from another machine"
        )


def unnoted(known: Sequence[Generation], keys: Sequence[SealingKey]) -> list[int]:
    """Generations in the file of which SQL does not know: a rotation was killed between the two."""
    noted = {generation.generation for generation in known}
    return [key.generation for key in keys if key.generation not in noted]
