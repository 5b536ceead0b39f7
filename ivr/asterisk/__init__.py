"""An Asterisk of our own, for trying out: with config/asterisk's files, a folder and ports of its own."""
