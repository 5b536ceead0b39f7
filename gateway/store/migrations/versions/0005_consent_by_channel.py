"""Consent by channel with its proof; whom a firm has asked; marketing contacts and what they stood on."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "campaign", sa.Column("asks_consent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for column in (
        sa.Column("purpose", sa.String(length=10), nullable=False, server_default="marketing"),
        sa.Column("wording", sa.String(length=500), nullable=True),
        sa.Column("proof", sa.String(length=200), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False, server_default="shopper"),
    ):
        op.add_column("consent_entry", column)
    op.create_index("ix_consent_entry_firm_id", "consent_entry", ["firm_id", "shopper_id"], unique=False)
    op.create_table(
        "consent_ask",
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("wording", sa.String(length=500), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_consent_ask_firm_id")),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_consent_ask_shopper_id")),
        sa.PrimaryKeyConstraint("firm_id", "shopper_id", name=op.f("pk_consent_ask")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.Column("blast", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=5), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("consent", sa.String(length=11), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("pack", sa.String(length=8), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_contact_firm_id")),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_contact_shopper_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index("ix_contact_shopper_id", "contact", ["shopper_id", "firm_id"], unique=False)


def downgrade() -> None:
    """Take back; proofs and contacts are forgotten."""
    op.drop_table("contact")
    op.drop_table("consent_ask")
    op.drop_index("ix_consent_entry_firm_id", table_name="consent_entry")
    for column in ("actor", "proof", "wording", "purpose"):
        op.drop_column("consent_entry", column)
    op.drop_column("campaign", "asks_consent")
