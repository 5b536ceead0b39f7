"""Shoppers: their numbers, their aliases, what a firm calls them."""
