"""The vault: sealed numbers, the keys that seal them, who opened what."""
