"""Words of consent, the gate before marketing, contacts and caps."""
