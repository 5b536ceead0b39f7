"""`undercap up`: children started, watched, started again and stopped in order; what ties them to it."""
