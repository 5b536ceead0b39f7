"""The tables' common ground: how constraints are named, and how rows are numbered."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Integer,
    MetaData,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite numbers rows only in a column of type INTEGER; elsewhere ids are 64 bits wide.
Id = BigInteger().with_variant(Integer, "sqlite")
