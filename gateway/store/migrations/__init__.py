"""Alembic: how the ledger's schema came to be."""
