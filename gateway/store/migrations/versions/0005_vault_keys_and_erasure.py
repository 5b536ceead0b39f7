"""Generations of sealing keys, erasures of persons, and who reached for a person's number."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("shopper", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_consent_entry_shopper_id", "consent_entry", ["shopper_id", "firm_id"], unique=False)
    op.create_table(
        "person_access",
        sa.Column("id", _ID, nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("shopper_id", _ID, nullable=True),
        sa.Column("accessed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_person_access_shopper_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_access")),
    )
    op.create_index(op.f("ix_person_access_accessed_at"), "person_access", ["accessed_at"], unique=False)
    op.create_table(
        "sealing_generation",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_sealing_generation")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=22), nullable=True),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_erasure_shopper_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_key"), "erasure", ["key"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("shopper_key", sa.String(length=22), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_suppression_firm_id")),
        sa.PrimaryKeyConstraint("firm_id", "shopper_key", name=op.f("pk_suppression")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("suppression")
    op.drop_index(op.f("ix_erasure_key"), table_name="erasure")
    op.drop_table("erasure")
    op.drop_table("sealing_generation")
    op.drop_index(op.f("ix_person_access_accessed_at"), table_name="person_access")
    op.drop_table("person_access")
    op.drop_index("ix_consent_entry_shopper_id", table_name="consent_entry")
    op.drop_column("shopper", "erased_at")
