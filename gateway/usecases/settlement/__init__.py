"""Accepted texts become activations, entries, consents and answers; outcomes and receipts are filed."""
