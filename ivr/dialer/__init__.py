"""Makes the calls of blasts: takes who is due, asks the gate, has Asterisk call, files what came of it."""
