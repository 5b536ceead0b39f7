"""`make bench-aliases`: a million aliases in SQLite, and what a till's look-up among them takes.

A look-up is what the API does between a till's budget and its answer: check digit, permutation, one statement
in SQL, by the loop through a thread as the API has it. Prints a table; the last line is one JSON object.

    python -m tests.bench.aliases [--people 1000000] [--n 20000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import correlation
from typing import Any, Final

from sqlalchemy import insert

from gateway.domain.people.alias import alias_of, counter_of
from gateway.store.people.aliases import AliasLookups
from gateway.store.sql import database, migrate, schema
from tests.bench import machine
from tests.bench.journal import Spread, spread

KEY: Final = "5c" * 32
FIRM: Final = 1
ROWS: Final = 50_000  # of one statement
NOT_GIVEN: Final = 4_000_000  # a counter that nobody has


def fill(url: str, people: int) -> None:
    """So many shoppers with an alias each; every second one has points at the firm."""
    migrate.upgrade(url)
    engine = database.engine(url)
    with database.writing(engine) as connection:
        connection.execute(insert(schema.firm).values(id=FIRM, slug="acme", name="Acme", created_at=0))
    for first in range(1, people + 1, ROWS):
        ids = range(first, min(first + ROWS, people + 1))
        shoppers = [{"id": i, "key": f"{i:022d}", "number": b"\0" * 40, "created_at": 0} for i in ids]
        aliases = [{"id": i, "shopper_id": i, "created_at": 0} for i in ids]
        balances = [{"shopper_id": i, "firm_id": FIRM, "points": i} for i in ids if i % 2]
        with database.writing(engine) as connection:
            connection.execute(insert(schema.shopper), shoppers)
            connection.execute(insert(schema.alias), aliases)
            connection.execute(insert(schema.balance), balances)
    engine.dispose()


async def look_ups(url: str, said: list[str]) -> tuple[Spread, int]:
    """One after the other: how long each took, and how many were found."""
    engine = database.engine(url)
    lookups = AliasLookups(engine)
    times, found = [], 0
    for alias in said:
        begun = time.perf_counter()
        balance = await lookups.balance(counter_of(alias, KEY), FIRM)
        times.append(time.perf_counter() - begun)
        found += balance is not None
    engine.dispose()
    return spread(times), found


def bench(people: int, n: int) -> dict[str, Any]:
    """Everything; returns the last line's object."""
    begun = time.perf_counter()
    aliases = [alias_of(counter, KEY) for counter in range(1, people + 1)]
    made_us = (time.perf_counter() - begun) / people * 1e6
    values = [int(alias) for alias in aliases]
    order = correlation(values[:-1], values[1:])
    print(f"{people:,} aliases, {len(set(aliases)):,} of them different, {made_us:.1f} µs each")
    print(f"correlation of neighbours {order:+.5f} (one deviation: {people**-0.5:.5f})")
    chance = random.Random(7)  # noqa: S311 - repeatable by design
    known = chance.choices(aliases, k=n)
    unknown = [alias_of(NOT_GIVEN + at % 1_000_000, KEY) for at in range(n)]
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="uc-") as folder:
        url = f"sqlite:///{Path(folder) / 'undercap.db'}"
        fill(url, people)
        for name, said in (("known", known), ("unknown", unknown)):
            took, found = asyncio.run(look_ups(url, said))
            print(f"look-up, {name:8} p50 {took.p50_ms:.3f} ms, p99 {took.p99_ms:.3f} ms, found {found:,}")
            told[name] = {"p50_ms": round(took.p50_ms, 3), "p99_ms": round(took.p99_ms, 3), "found": found}
    return {
        "bench": "aliases",
        "people": people,
        "different": len(set(aliases)),
        "neighbours_correlation": round(order, 6),
        "made_us": round(made_us, 2),
        "look_up": told,
        "machine": asdict(machine.machine()),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--n", type=int, default=20_000, help="look-ups of each sort")
    arguments = parser.parse_args()
    print(json.dumps(bench(arguments.people, arguments.n), ensure_ascii=False))


if __name__ == "__main__":
    main()
