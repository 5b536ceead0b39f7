"""Draws a blast's addressees and hands each a text or a call."""
