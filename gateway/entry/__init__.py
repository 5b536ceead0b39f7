"""The command line and the processes. Composes everything; nothing imports it."""
