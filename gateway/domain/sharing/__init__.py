"""What firms share, and whose turn it is."""
