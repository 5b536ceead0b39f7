"""One person: what is held, an alias, a PIN, erasure."""
