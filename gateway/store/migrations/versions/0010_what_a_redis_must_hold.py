"""What a Redis must hold beside its outbox: filed outcomes, and changes of consent by no text."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "settled", sa.Column("results_id", sa.String(length=32), nullable=False, server_default="0-0")
    )
    op.add_column("settled", sa.Column("changes", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("settled") as batch:
        batch.drop_column("changes")
        batch.drop_column("results_id")
