"""The page where a shopper activates a code."""
