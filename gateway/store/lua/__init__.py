"""The atomic functions that run inside Redis. Each file names its KEYS and ARGV first."""
