"""aiohttp: activations by web, health, metrics."""
