"""A blast and what became of it, as its marketer sees them: counts, never a person."""
