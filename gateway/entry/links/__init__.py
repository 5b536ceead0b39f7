"""The links of a process: taken up, held, reloaded, told."""
