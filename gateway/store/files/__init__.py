"""Files that are ours alone."""
