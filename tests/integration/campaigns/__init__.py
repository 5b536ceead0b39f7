"""Audiences and blasts on a real Valkey and SQLite."""
