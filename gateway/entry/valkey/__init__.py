"""The embedded Valkey: which program, where it lives, how it starts, is taken over and ends."""
