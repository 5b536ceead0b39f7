"""Audiences and blasts; what a shopper's number begins with."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audience",
        sa.Column("id", _ID, nullable=False),
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("sample_below", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_audience_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience")),
        sa.UniqueConstraint("firm_id", "name", name=op.f("uq_audience_firm_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audience_member",
        sa.Column("audience_id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["audience.id"], name=op.f("fk_audience_member_audience_id")
        ),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_audience_member_shopper_id")),
        sa.PrimaryKeyConstraint("audience_id", "shopper_id", name=op.f("pk_audience_member")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blast",
        sa.Column("id", _ID, nullable=False),
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("channel", sa.String(length=5), nullable=False),
        sa.Column("audience_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("short_number", sa.String(length=20), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("fallback", sa.String(length=2), nullable=False),
        sa.Column("holdout", sa.Integer(), nullable=False),
        sa.Column("spread_s", sa.Integer(), nullable=False),
        sa.Column("error_share", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("launched_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("drawn", sa.BigInteger(), nullable=False),
        sa.Column("texted", sa.BigInteger(), nullable=False),
        sa.Column("last_shopper", sa.BigInteger(), nullable=False),
        sa.Column("all_drawn", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("paced_at", sa.BigInteger(), nullable=True),
        sa.Column("paced_from", sa.BigInteger(), nullable=False),
        sa.Column("failed_before", sa.BigInteger(), nullable=False),
        sa.Column("last_activation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name=op.f("fk_blast_audience_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_blast_campaign_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_blast_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blast")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_blast_firm_id", "blast", ["firm_id"], unique=False)
    op.create_index("ix_blast_state", "blast", ["state"], unique=False)
    op.create_table(
        "blast_recipient",
        sa.Column("blast_id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["blast_id"], ["blast.id"], name=op.f("fk_blast_recipient_blast_id")),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_blast_recipient_shopper_id")),
        sa.PrimaryKeyConstraint("blast_id", "shopper_id", name=op.f("pk_blast_recipient")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_blast_recipient_due",
        "blast_recipient",
        ["blast_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'deferred'"),
        postgresql_where=sa.text("state = 'deferred'"),
    )
    op.create_index(
        "ix_blast_recipient_state",
        "blast_recipient",
        ["blast_id", "state", "reason"],
        unique=False,
        sqlite_where=sa.text("state <> 'texted'"),
        postgresql_where=sa.text("state <> 'texted'"),
    )
    op.create_index("ix_balance_firm_id", "balance", ["firm_id", "shopper_id"], unique=False)
    op.add_column("message", sa.Column("blast_id", _ID, nullable=True))
    op.create_index(
        "ix_message_blast_id",
        "message",
        ["blast_id", "state"],
        unique=False,
        sqlite_where=sa.text("blast_id IS NOT NULL"),
        postgresql_where=sa.text("blast_id IS NOT NULL"),
    )
    op.add_column("shopper", sa.Column("prefix", sa.String(length=5), nullable=True))


def downgrade() -> None:
    """Take back; blasts and what became of them are forgotten."""

    op.drop_column("shopper", "prefix")
    op.drop_index(
        "ix_message_blast_id",
        table_name="message",
        sqlite_where=sa.text("blast_id IS NOT NULL"),
        postgresql_where=sa.text("blast_id IS NOT NULL"),
    )
    op.drop_column("message", "blast_id")
    op.drop_index("ix_balance_firm_id", table_name="balance")
    op.drop_index(
        "ix_blast_recipient_state",
        table_name="blast_recipient",
        sqlite_where=sa.text("state <> 'texted'"),
        postgresql_where=sa.text("state <> 'texted'"),
    )
    op.drop_index(
        "ix_blast_recipient_due",
        table_name="blast_recipient",
        sqlite_where=sa.text("state = 'deferred'"),
        postgresql_where=sa.text("state = 'deferred'"),
    )
    op.drop_table("blast_recipient")
    op.drop_index("ix_blast_state", table_name="blast")
    op.drop_index("ix_blast_firm_id", table_name="blast")
    op.drop_table("blast")
    op.drop_table("audience_member")
    op.drop_table("audience")
