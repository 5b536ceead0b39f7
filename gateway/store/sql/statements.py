"""Statements for many rows, or by many keys, compiled once; in pieces that every database takes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    bindparam,
    insert,
)
from sqlalchemy.dialects import postgresql, sqlite

_SIZES = (1, 4, 16, 64, 256)  # of the lists in a statement


_CHUNK = _SIZES[-1]


Many = Sequence[BindParameter[Any]]


def insert_missing(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that breaks a unique key stands already and is left as it is."""
    if rows:
        execute_many(
            connection,
            f"missing {table.name}",
            lambda: dialect(connection).insert(table).on_conflict_do_nothing(),
            rows,
        )


def dialect(connection: Connection) -> Any:
    """Both have the same words for an insert that meets a row."""
    return postgresql if connection.dialect.name == "postgresql" else sqlite


def insert_all(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that ought to be new. Raises IntegrityError where one is not."""
    if rows:
        execute_many(connection, f"new {table.name}", lambda: insert(table), rows)


def as_it_is(statement: Any) -> Any:
    return statement


def found(
    connection: Connection,
    name: str,
    build: Callable[[Many], Any],
    values: Sequence[Any],
    fixed: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Any]:
    """The rows of a select by many values. Its compiled forms are few: the last value is repeated."""
    for at in range(0, len(values), _CHUNK):
        chunk = values[at : at + _CHUNK]
        size = next(size for size in _SIZES if size >= len(chunk))
        filled = [*chunk, *[chunk[-1]] * (size - len(chunk))]
        names = [f"v{i}" for i in range(size)]
        params = dict(zip(names, filled, strict=True), **fixed)
        statement = functools.partial(_with_many, build, names)
        yield from execute(connection, f"{name} {size}", statement, params)


def _with_many(build: Callable[[Many], Any], names: Sequence[str]) -> Any:
    return build([bindparam(name) for name in names])


def execute(connection: Connection, name: str, build: Callable[[], Any], params: Mapping[str, Any]) -> Any:
    """Execute a statement with one set of values."""
    text, order = _compiled(connection, name, build, tuple(params))
    return connection.exec_driver_sql(
        text, dict(params) if order is None else tuple([params[c] for c in order])
    )


def execute_many(
    connection: Connection, name: str, build: Callable[[], Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute a statement for many rows that have the same columns."""
    text, order = _compiled(connection, name, build, tuple(rows[0]))
    if order is None:
        connection.exec_driver_sql(text, [dict(row) for row in rows])
    else:
        connection.exec_driver_sql(text, [tuple([row[c] for c in order]) for row in rows])


def _compiled(
    connection: Connection, name: str, build: Callable[[], Any], columns: tuple[str, ...]
) -> tuple[str, Sequence[str] | None]:
    """The text of a statement and the order of its values; None where the driver takes them by name."""
    key = (name, columns, connection.dialect.name)
    known = _COMPILED.get(key)
    if known is None:
        made = build().compile(dialect=connection.dialect, column_keys=columns)
        known = _COMPILED[key] = made.string, made.positiontup
    return known


_COMPILED: dict[tuple[str, tuple[str, ...], str], tuple[str, Sequence[str] | None]] = {}
