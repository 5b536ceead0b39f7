"""An SMSC of our own for trying things out, with handsets on a page."""
