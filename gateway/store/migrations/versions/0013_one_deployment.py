"""A database knows one deployment, and the fingerprint of its master secret."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Of several deployments that machines began at once the first stays."""
    op.execute(
        "DELETE FROM deployment WHERE id <> (SELECT id FROM deployment ORDER BY created_at, id LIMIT 1)"
    )
    with op.batch_alter_table("deployment") as table:
        table.add_column(sa.Column("place", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("master_print", sa.String(length=32)))
        table.create_unique_constraint("deployment_place_key", ["place"])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("deployment") as table:
        table.drop_constraint("deployment_place_key", type_="unique")
        table.drop_column("master_print")
        table.drop_column("place")
