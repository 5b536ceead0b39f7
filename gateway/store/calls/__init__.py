"""Calls in and out, as SQL, Redis and the disk keep them."""
