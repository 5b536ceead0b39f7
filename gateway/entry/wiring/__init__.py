"""What a process is put together from."""
