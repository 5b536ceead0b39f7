"""Sealing keys are rotated, values sealed anew."""
