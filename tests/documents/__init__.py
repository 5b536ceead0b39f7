"""What of the documents is made from the program when they are built, and what they are held against."""
