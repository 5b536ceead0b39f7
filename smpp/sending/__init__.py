"""Texts as they leave: queues, gate, turns, pace, outcomes."""
