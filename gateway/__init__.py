"""The product: what a code, a claim, a credit and an answer are."""
