"""Asterisk's manager interface: makes calls and hears what became of them. What is said in them: ivr.agi."""
