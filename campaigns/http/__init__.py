"""Audiences and blasts by HTTP, under a firm's API key."""
