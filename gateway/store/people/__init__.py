"""Shoppers: numbers, aliases, PINs, erasure, every place where a person stands."""
