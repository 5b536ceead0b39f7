"""How often a campaign was changed: whoever edits one that another has changed meanwhile is told so."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("campaign", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("campaign") as table:
        table.drop_column("revision")
