"""Which deployment this is, and how far what Redis holds is here."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from gateway.store.sql.schema.base import Id, metadata

deployment = Table(
    "deployment",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    # There is one, whatever machines begin it at once.
    Column("place", Integer, nullable=False, server_default="1"),
    Column("master_print", String(32)),  # fingerprint of the master secret; NULL: nobody has noted it yet
    UniqueConstraint("place", name="deployment_place_key"),
)

# How far a firm's outbox is settled, and what became of texts filed; how many changes of consent by no text
# its Redis had counted when the last was written. A Redis that is behind any of these has lost something.
settled = Table(
    "settled",
    metadata,
    Column("firm_id", Id, ForeignKey("firm.id"), primary_key=True),
    Column("outbox_id", String(32), nullable=False),
    Column("results_id", String(32), nullable=False, server_default="0-0"),
    Column("changes", BigInteger, nullable=False, server_default="0"),
)
