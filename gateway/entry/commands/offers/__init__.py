"""Commands of offers: audiences, blasts, recordings."""
