"""The Asterisk edge: calls to the free number and offer calls."""
