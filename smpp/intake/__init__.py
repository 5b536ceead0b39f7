"""Texts and receipts as they come in: parts put together, decided, answered."""
