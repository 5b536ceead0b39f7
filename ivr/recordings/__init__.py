"""What firms let be said in offer calls: uploaded or spoken, checked, and made fit for the telephone."""
