"""Settings, logging, texts: what the house is told from outside. Imports nothing of the product."""
