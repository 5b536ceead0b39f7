"""Records of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "call_record",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("firm_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("free_number", sa.String(length=15), nullable=False),
        sa.Column("caller", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("keys", sa.String(length=64), nullable=False),
        sa.Column("services", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("fault", sa.String(length=10), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_call_record_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
    )
    op.create_index("ix_call_record_started_at", "call_record", ["started_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_call_record_started_at", table_name="call_record")
    op.drop_table("call_record")
