"""Whatever is sealed, and every column that could hold a person, is on the list of places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import LargeBinary, String

from gateway.store.sql import schema
from gateway.store.vault import places
from gateway.store.vault.places import Purpose

ROOT: Final = Path(__file__).parents[5]
ROOMS: Final = ("gateway", "smpp", "ivr", "campaigns", "config")
VAULT: Final = "gateway/store/vault/vault.py"
RENEWED: Final = "gateway/usecases/vault/reseal.py"  # seals for what the list says
OF_NOBODY: Final = {"recording.sound", "api_key.digest"}


def sealing() -> Iterator[tuple[str, object]]:
    """Every call of `seal`: where it stands, and for what purpose."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            where = str(path.relative_to(ROOT))
            if where in (VAULT, RENEWED):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "seal" and node.args:
                    yield where, _purpose(where, node.args[0])


def _purpose(where: str, said: ast.expr) -> object:
    """The value behind a name of the module; else the words themselves."""
    module = import_module(where.removesuffix(".py").replace("/", "."))
    return getattr(module, said.id, None) if isinstance(said, ast.Name) else ast.unparse(said)


def test_whatever_is_sealed_has_a_purpose_of_the_list() -> None:
    assert [(where, purpose) for where, purpose in sealing() if not isinstance(purpose, Purpose)] == []
    assert {purpose for _, purpose in sealing()} == set(Purpose)


def test_every_purpose_has_a_place() -> None:
    assert {place.sealed for place in places.everywhere() if place.sealed} == set(Purpose)


def test_every_column_of_octets_or_of_an_index_is_on_the_list() -> None:
    """An index has 22 characters, as the vault makes it."""
    listed = {str(place.column) for place in places.SQL}
    for table in schema.metadata.tables.values():
        for column in table.columns:
            of_index = isinstance(column.type, String) and column.type.length == 22
            if of_index or isinstance(column.type, LargeBinary):
                assert str(column) in listed | OF_NOBODY
