"""Texts in and out: outbox, sending queue, receipts, what became of them."""
