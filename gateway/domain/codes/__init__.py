"""Codes as they are printed, and the campaigns that they belong to."""
