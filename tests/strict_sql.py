"""SQLite made as strict as PostgreSQL: what is too long for its column, out of range or has a NUL is refused.

Triggers in the database itself, so that they hold whoever writes: other processes, and statements that pass
by SQLAlchemy's types. A lone surrogate is refused by both drivers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import BigInteger, Column, Engine, Integer, String, Table

from gateway.store.sql import database, schema

_INTEGER = 2**31


def hold(url: str) -> None:
    """Make a database strict; may be repeated. Of another kind than SQLite it is left as it is."""
    if not url.startswith("sqlite"):
        return
    engine = database.engine(url)
    try:
        hold_engine(engine)
    finally:
        engine.dispose()


def hold_engine(engine: Engine) -> None:
    """As `hold`, through a connection of an engine."""
    with database.writing(engine) as connection:
        stands = set(
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
        )
        for table in schema.metadata.tables.values():
            if table.name in stands:
                for statement in _triggers(table):
                    connection.exec_driver_sql(statement)


def strict(upgrade: Callable[[str], None]) -> Callable[[str], None]:
    """An upgrade that makes the database strict, too."""

    def upgraded(url: str) -> None:
        upgrade(url)
        hold(url)

    return upgraded


def _triggers(table: Table) -> Iterator[str]:
    for column in table.columns:
        refused = _refused(column)
        if not refused:
            continue
        for name, on in (("insert", "INSERT"), ("update", f'UPDATE OF "{column.name}"')):
            yield (
                f'CREATE TRIGGER IF NOT EXISTS "strict_{table.name}_{column.name}_{name}" BEFORE {on} '
                f'ON "{table.name}" WHEN {refused} '
                f"BEGIN SELECT RAISE(ABORT, 'does not fit into {table.name}.{column.name}'); END"
            )


def _refused(column: Column[object]) -> str:
    """The condition under which PostgreSQL would not take a value; empty where it takes any."""
    value = f'NEW."{column.name}"'
    kind = column.type
    if isinstance(kind, String):
        nul = f"instr(CAST({value} AS BLOB), x'00') > 0"
        return nul if kind.length is None else f"length({value}) > {kind.length} OR {nul}"
    if isinstance(kind, Integer) and not isinstance(kind, BigInteger):
        return f"{value} >= {_INTEGER} OR {value} < -{_INTEGER}"
    return ""
