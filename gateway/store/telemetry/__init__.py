"""Measures, their files, and the live feed."""
