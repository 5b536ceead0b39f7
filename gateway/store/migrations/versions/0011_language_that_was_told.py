"""When a shopper's language was told: what was said later counts, in whatever order it is settled."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("shopper", sa.Column("language_at", sa.BigInteger()))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("shopper") as table:
        table.drop_column("language_at")
