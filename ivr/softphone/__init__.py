"""A telephone for the page of the virtual phones: it calls the demo's Asterisk, and no other."""
