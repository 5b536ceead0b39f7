"""Refusals in own words: the words as data, the rules, and how a clause is heard."""
