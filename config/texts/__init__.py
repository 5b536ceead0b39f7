"""The words that shoppers read, one TOML file a language, and the plural rules that choose among them."""
