"""Ids of an SMSC are found by the form in which they are compared: small letters, no leading zeros."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = ("message", "message_part")


def upgrade() -> None:
    """Apply."""
    for table in TABLES:
        op.drop_index(f"ix_{table}_smsc_id", table)
        op.execute(f"CREATE INDEX ix_{table}_smsc_id ON {table} (lower(ltrim(smsc_id, '0')))")


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.drop_index(f"ix_{table}_smsc_id", table)
        op.create_index(f"ix_{table}_smsc_id", table, ["smsc_id"])
