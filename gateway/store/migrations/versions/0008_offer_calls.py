"""Offer calls, what is said in them, and blasts that follow another one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("state = 'waiting'")
_CALLING = sa.text("state = 'calling'")
_UNENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("blast") as blast:
        blast.add_column(sa.Column("call", sa.JSON(), nullable=True))
        blast.add_column(sa.Column("follows", _ID, nullable=True))
        blast.add_column(sa.Column("follow_after_s", sa.Integer(), nullable=True))
        blast.create_foreign_key(op.f("fk_blast_follows"), "blast", ["follows"], ["id"])
    with op.batch_alter_table("contact") as contact:
        contact.alter_column("state", type_=sa.String(length=16), existing_type=sa.String(length=10))
    op.create_table(
        "recording",
        sa.Column("id", _ID, nullable=False),
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("sound", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_recording_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("firm_id", "name", "language", name=op.f("uq_recording_firm_id")),
        sqlite_autoincrement=True,
    )
    _offer_call()
    _offer_call_record()


def _offer_call() -> None:
    op.create_table(
        "offer_call",
        sa.Column("blast_id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["blast_id"], ["blast.id"], name=op.f("fk_offer_call_blast_id")),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_offer_call_shopper_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_offer_call_firm_id")),
        sa.PrimaryKeyConstraint("blast_id", "shopper_id", name=op.f("pk_offer_call")),
        sqlite_with_rowid=False,
    )
    _partial("ix_offer_call_due", "offer_call", ["blast_id", "due_at"], _WAITING)
    _partial("ix_offer_call_calling", "offer_call", ["blast_id"], _CALLING)
    op.create_index("ix_offer_call_outcome", "offer_call", ["blast_id", "state", "outcome"])


def _offer_call_record() -> None:
    op.create_table(
        "offer_call_record",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("blast_id", _ID, nullable=False),
        sa.Column("shopper_id", _ID, nullable=False),
        sa.Column("firm_id", _ID, nullable=False),
        sa.Column("dialer", sa.String(length=40), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("cause", sa.Integer(), nullable=True),
        sa.Column("answered_by", sa.String(length=8), nullable=True),
        sa.Column("keys", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(["blast_id"], ["blast.id"], name=op.f("fk_offer_call_record_blast_id")),
        sa.ForeignKeyConstraint(["shopper_id"], ["shopper.id"], name=op.f("fk_offer_call_record_shopper_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_offer_call_record_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_call_record")),
    )
    op.create_index("ix_offer_call_record_person", "offer_call_record", ["shopper_id", "blast_id"])
    op.create_index("ix_offer_call_record_blast_id", "offer_call_record", ["blast_id"])
    _partial("ix_offer_call_record_unended", "offer_call_record", ["dialer"], _UNENDED)


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Take back; calls and recordings are forgotten, and blasts that need them are over."""
    op.drop_table("offer_call_record")
    op.drop_table("offer_call")
    op.drop_table("recording")
    op.execute("UPDATE contact SET state = SUBSTR(state, 1, 10)")
    with op.batch_alter_table("contact") as contact:
        contact.alter_column("state", type_=sa.String(length=10), existing_type=sa.String(length=16))
    op.execute("UPDATE blast SET state = 'cancelled' WHERE channel = 'call' OR follows IS NOT NULL")
    with op.batch_alter_table("blast") as blast:
        blast.drop_constraint(op.f("fk_blast_follows"), type_="foreignkey")
        for column in ("follow_after_s", "follows", "call"):
            blast.drop_column(column)
