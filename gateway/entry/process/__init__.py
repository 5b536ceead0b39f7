"""What all processes have in common: their start, their stop, who watches whom."""
