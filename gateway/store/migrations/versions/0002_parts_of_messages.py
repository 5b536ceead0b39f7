"""Parts of long texts with their ids, and when an SMSC took a text."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "message_part",
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("link", sa.String(length=32), nullable=False),
        sa.Column("smsc_id", sa.String(length=65), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_part_message_id")),
        sa.PrimaryKeyConstraint("message_id", "part", name=op.f("pk_message_part")),
    )
    op.create_index("ix_message_part_smsc_id", "message_part", ["smsc_id"], unique=False)
    op.add_column("message", sa.Column("accepted_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("message", "accepted_at")
    op.drop_index("ix_message_part_smsc_id", table_name="message_part")
    op.drop_table("message_part")
