"""How Redis is reached: connections, keys, atomic functions, its clock."""
