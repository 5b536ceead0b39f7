"""The talk with a callee whom an offer call reaches: what is played, which keys do what, what came of it."""
