"""What a shopper has said about marketing, and how lists of it are read."""
