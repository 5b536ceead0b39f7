"""Routes to SMSCs: whose link a text leaves by, and when another one takes over."""
