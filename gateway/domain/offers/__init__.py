"""Offers: to whom, by what words, in what order."""
