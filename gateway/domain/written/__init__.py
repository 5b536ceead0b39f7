"""What people and their programs write: moments, days, tables, text that every store takes."""
