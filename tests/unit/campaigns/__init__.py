"""The pure parts of audiences and blasts."""
