"""What an operator's engineer asks, under the operator's token, and what monitors ask."""
