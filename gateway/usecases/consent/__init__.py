"""What shoppers and firms say about marketing; may this person be reached now."""
