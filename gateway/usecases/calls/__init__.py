"""What a caller, and a person who is called, can do by keys."""
