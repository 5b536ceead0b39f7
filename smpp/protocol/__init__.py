"""SMPP 3.4 on the wire: PDUs, statuses, concatenation, receipts. Pure."""
