"""A link to one SMSC: its binds kept up."""
