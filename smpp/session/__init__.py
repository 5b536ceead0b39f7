"""One bound session: what may be said when, windows and timers."""
