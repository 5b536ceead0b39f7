"""What a text from a shopper says: codes, keywords, refusals, a language."""
