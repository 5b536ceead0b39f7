"""Firms: their keys, their tills, what they may ask."""
