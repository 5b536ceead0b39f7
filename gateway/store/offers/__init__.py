"""Blasts, their audiences and their recipients."""
