"""Codes are issued, and activated."""
