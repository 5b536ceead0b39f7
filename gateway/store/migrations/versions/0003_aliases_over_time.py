"""A person's aliases over time, and names of API keys."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_AUTOINCREMENT = {"sqlite_autoincrement": True}  # SQLite makes the table anew, and would forget it


def upgrade() -> None:
    """Apply."""
    counter = _last_counter()
    with op.batch_alter_table("alias", table_kwargs=_AUTOINCREMENT) as batch_op:
        batch_op.drop_constraint(op.f("uq_alias_shopper_id"), type_="unique")
        batch_op.add_column(sa.Column("message_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("ends_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("told_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("texted_at", sa.BigInteger(), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_alias_message_id"), ["message_id"])
    _go_on_after(counter)
    op.create_index("ix_alias_shopper_id", "alias", ["shopper_id"], unique=False)
    current = sa.text("ends_at IS NULL")
    op.create_index(
        "uq_alias_current",
        "alias",
        ["shopper_id"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )
    unproved = sa.text("told_at IS NOT NULL AND texted_at IS NULL")
    op.create_index(
        "ix_alias_unproved",
        "alias",
        ["shopper_id"],
        unique=False,
        sqlite_where=unproved,
        postgresql_where=unproved,
    )
    op.add_column("api_key", sa.Column("name", sa.String(length=40), nullable=True))


def _last_counter() -> int | None:
    """The last counter that SQLite gave; None elsewhere, where the table is not made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return None
    return connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'alias'")) or 0


def _go_on_after(counter: int | None) -> None:
    """The new table has counted what was copied, and knows nothing of rows that were deleted."""
    if counter is not None:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'alias'")
        op.get_bind().execute(
            sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('alias', :seq)"), {"seq": counter}
        )


def downgrade() -> None:
    """Take back; aliases that were replaced are forgotten."""
    counter = _last_counter()
    op.drop_column("api_key", "name")
    op.drop_index("ix_alias_unproved", table_name="alias")
    op.drop_index("uq_alias_current", table_name="alias")
    op.drop_index("ix_alias_shopper_id", table_name="alias")
    op.execute("DELETE FROM alias WHERE ends_at IS NOT NULL")
    with op.batch_alter_table("alias", table_kwargs=_AUTOINCREMENT) as batch_op:
        batch_op.drop_constraint(op.f("uq_alias_message_id"), type_="unique")
        batch_op.drop_column("texted_at")
        batch_op.drop_column("told_at")
        batch_op.drop_column("ends_at")
        batch_op.drop_column("message_id")
        batch_op.create_unique_constraint(op.f("uq_alias_shopper_id"), ["shopper_id"])
    _go_on_after(counter)
