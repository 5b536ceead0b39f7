"""Campaigns as a marketer leads them."""
