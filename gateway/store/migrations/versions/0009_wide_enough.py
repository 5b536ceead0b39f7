"""Why a text ended: as wide as what is written there. SQLite has no widths."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("message", "error", type_=sa.String(length=64), existing_type=sa.String(length=20))


def downgrade() -> None:
    """Take back; what is longer is cut."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute("UPDATE message SET error = substr(error, 1, 20) WHERE length(error) > 20")
        op.alter_column("message", "error", type_=sa.String(length=20), existing_type=sa.String(length=64))
