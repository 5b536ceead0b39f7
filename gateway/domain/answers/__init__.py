"""What a shopper is answered."""
