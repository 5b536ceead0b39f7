"""Commands of campaigns and their codes."""
