"""What was issued, and what of it was used."""
