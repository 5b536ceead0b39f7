"""Short messages: segments, alphabets, ids, what leaves before what."""
