"""The talk with a shopper who calls the free number: who calls, what is said, which keys do what."""
