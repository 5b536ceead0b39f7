"""What a blast would do, told before it is launched."""
