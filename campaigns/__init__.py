"""The marketers' edge: offers by SMS and by call."""
