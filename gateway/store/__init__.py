"""Redis, SQL and the vault: the only modules that speak to them."""
