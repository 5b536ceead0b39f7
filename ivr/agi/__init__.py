"""FastAGI: Asterisk connects for each call, tells who calls, and takes commands line by line."""
