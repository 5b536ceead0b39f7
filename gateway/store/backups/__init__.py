"""What a backup is made of: copies of SQL and of Redis, and the manifest that vouches for them."""
