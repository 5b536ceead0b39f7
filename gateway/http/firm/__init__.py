"""What a firm's own systems ask, under its API key."""
